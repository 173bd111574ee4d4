//! `pgq verify`: whether everything of the queue is there, or nothing.

use super::Context;
use super::install::text;
use crate::error::Result;
use crate::output::{Answer, Row, line};
use crate::query;
use crate::sql;
use clap::ValueEnum;
use serde_json::{Value, json};

/// What is expected.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq verify\n  pgq verify --expect absent\n\n\
                        Exit code 1, and a line for each thing that is not as expected.")]
pub struct Args {
    /// Whether the queue should be there
    #[arg(long, value_enum, default_value = "present")]
    expect: Expect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Expect {
    Present,
    Absent,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let rows = query::rows(&context.queue, sql!("extension"), &[]).await?;
    let extension = rows.first();
    let found = match (args.expect, text(extension, "installed")) {
        (Expect::Absent, installed) => remains(extension, installed),
        (Expect::Present, None) => {
            vec!["the extension pgqueuer is not installed in this database: pgq install".to_owned()]
        }
        (Expect::Present, Some(_)) => missing(context).await?,
    };
    if context.output.json {
        context.output.value(&json!({ "ok": found.is_empty(), "divergences": found }));
    } else if found.is_empty() {
        line(if args.expect == Expect::Present { "Everything is there." } else { "Nothing is there." });
    } else {
        found.iter().for_each(|one| line(&crate::text::harmless(one)));
    }
    Ok(found.is_empty().into())
}

fn remains(extension: Option<&Row>, installed: Option<String>) -> Vec<String> {
    let mut found: Vec<String> =
        installed.map(|version| format!("the extension pgqueuer {version} is installed")).into_iter().collect();
    if found.is_empty() && extension.and_then(|row| row.get("remains")) == Some(&Value::Bool(true)) {
        found.push("the schema pgq is not empty".to_owned());
    }
    found
}

/// What should be there and is not, and those checks of health that say whether the parts fit together.
async fn missing(context: &Context) -> Result<Vec<String>> {
    let mut found = vec![];
    for row in query::look(&context.queue, sql!("missing"), &[]).await? {
        found.push(format!("{} is missing", text(Some(&row), "name").unwrap_or_default()));
    }
    // Without its functions health cannot be asked.
    if found.is_empty() {
        let parts = ["preload", "version", "background worker"];
        for row in query::look(&context.queue, sql!("health"), &[]).await? {
            let text = |name: &str| text(Some(&row), name).unwrap_or_default();
            if row.get("ok") == Some(&Value::Bool(false)) && parts.contains(&text("check").as_str()) {
                found.push(format!("{}: {}. {}", text("check"), text("detail"), text("hint")));
            }
        }
    }
    Ok(found)
}
