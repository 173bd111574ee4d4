//! The queue in a database: what every queue must do.
//!
//! Each case has a fresh database of a server of its own, and all run side by side. With `PGQUEUER_CONFORMANCE_DSN` they run
//! one after the other in that database, in which each makes the extension anew: for servers behind pgbouncer.
//! `PGQUEUER_CONFORMANCE_LISTEN_DSN` is the way past pgbouncer; without it that queue can only be polled.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

#[macro_use]
mod conformance;

use chrono::{DateTime, Utc};
use conformance::{Subject, eventually};
use pgqueuer_client::Postgres;
use pgqueuer_e2e::cluster;
use std::env;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

impl Subject for Postgres {
    async fn pass(&self, time: Duration) {
        let begun = clock(self).await;
        eventually("time passes", async || (clock(self).await - begun >= chrono_of(time)).then_some(())).await;
    }
}

fn chrono_of(time: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(time).unwrap()
}

/// The time by the server's clock.
async fn clock(queue: &Postgres) -> DateTime<Utc> {
    let client = queue.pool().get().await.unwrap();
    client.query_one("SELECT clock_timestamp()", &[]).await.unwrap().get(0)
}

async fn start() -> (Postgres, Option<MutexGuard<'static, ()>>) {
    static ALONE: Mutex<()> = Mutex::const_new(());
    match env::var("PGQUEUER_CONFORMANCE_DSN") {
        Ok(dsn) => {
            let alone = ALONE.lock().await;
            (start_at(&dsn).await, Some(alone))
        }
        Err(_) => {
            // The tests' server is started, and asked for a database, by blocking calls.
            let address = tokio::task::spawn_blocking(|| cluster::database().address()).await.unwrap();
            (Postgres::new(&address).unwrap(), None)
        }
    }
}

/// An empty queue in a database that is there.
async fn start_at(dsn: &str) -> Postgres {
    let queue = Postgres::new(dsn).unwrap();
    let anew = "DROP EXTENSION IF EXISTS pgqueuer CASCADE; CREATE EXTENSION pgqueuer";
    queue.pool().get().await.unwrap().batch_execute(anew).await.unwrap();
    match env::var("PGQUEUER_CONFORMANCE_LISTEN_DSN") {
        Ok(dsn) => queue.listen_at(&dsn).unwrap(),
        Err(_) => queue.without_listen(),
    }
}

conformance!(crate::start);
