//! The installation of the Python PgQueuer: its tables, whatever its schema and prefix.

use super::Args;
use crate::error::{Error, Result};
use crate::query;
use crate::sql;
use pgqueuer_client::Error as Refused;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

/// Its tables, as the server quotes their names.
#[derive(Debug, Deserialize)]
pub struct Old {
    pub schema: String,
    pub prefix: String,
    pub queue: String,
    /// Early versions have none.
    pub log: Option<String>,
    /// Early versions have none.
    pub schedules: Option<String>,
}

impl Old {
    /// The only one, or the one that was named.
    ///
    /// # Errors
    /// Where there is none, or more than one.
    pub async fn find(source: &Transaction<'_>, args: &Args) -> Result<Self> {
        let named: [query::Parameter; 2] = [(&args.schema, Type::TEXT), (&args.tables_prefix, Type::TEXT)];
        let rows = source.query_typed(sql!("import_installations"), &named).await.map_err(Refused::from)?;
        let read =
            |row| serde_json::from_value(Value::Object(row)).map_err(|error| Refused::Answer(error.into()).into());
        let mut all: Vec<Self> = query::read(&rows)?.into_iter().map(read).collect::<Result<_>>()?;
        if all.len() > 1 {
            let names: Vec<String> = all.iter().map(Self::in_words).collect();
            let message = format!("there are {} installations of PgQueuer: {}", all.len(), names.join(", "));
            return Err(Error::usage(message, "Say which: --schema, --tables-prefix (\"\" for none)."));
        }
        all.pop().ok_or_else(|| Error::Impossible {
            message: "there are no tables of PgQueuer in the database that could be imported".into(),
            hint: "Look at --schema and --tables-prefix; where they are in another database, name it: --from DSN."
                .into(),
        })
    }

    fn in_words(&self) -> String {
        format!("--schema \"{}\" --tables-prefix \"{}\"", self.schema, self.prefix)
    }

    /// A statement about these tables.
    pub fn named(&self, statement: &str) -> String {
        let log = self.log.as_deref().unwrap_or(sql!("import_no_log"));
        let schedules = self.schedules.as_deref().unwrap_or_default();
        statement.replace("{queue}", &self.queue).replace("{log}", log).replace("{schedules}", schedules)
    }
}
