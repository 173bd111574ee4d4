//! pgqueuer's client, as `bench/compare` drives it: `pgqueuer-bench-client OPERATION JSON`.
//!
//! - [`protocol`]  the lines that go in and out, as those of every driver beside this one
//! - [`produce`]   `enqueue1`, `batch`, `latency`
//! - [`work`]      `work`

mod produce;
mod protocol;
mod work;

use pgqueuer_client::Postgres;
use protocol::say;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::error::Error;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// One thread, as the other drivers have: for jobs that do nothing, a second one costs more than it gives.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [operation, json] = arguments.as_slice() else {
        return Err("pgqueuer-bench-client OPERATION JSON".into());
    };
    let options: Value = serde_json::from_str(json)?;
    match operation.as_str() {
        "install" => install(&address(&options)?).await,
        "enqueue1" => produce::singles(read(options)?).await,
        "batch" => produce::batches(read(options)?).await,
        "latency" => produce::paced(read(options)?).await,
        "work" => work::work(read(options)?).await,
        _ => Err(format!("no such operation: {operation}").into()),
    }
}

fn read<T: DeserializeOwned>(options: Value) -> Outcome<T> {
    Ok(serde_json::from_value(options)?)
}

fn address(options: &Value) -> Outcome<String> {
    Ok(options.get("dsn").and_then(Value::as_str).ok_or("no dsn")?.to_owned())
}

async fn install(dsn: &str) -> Outcome {
    let queue = Postgres::new(dsn)?;
    queue.pool().get().await?.batch_execute("CREATE EXTENSION pgqueuer").await?;
    say(&json!({ "e": "result" }))
}
