//! The queue behind pgbouncer in transaction mode: what every queue must do, with a way past it to listen and without one.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

#[macro_use]
mod conformance;

use chrono::{DateTime, TimeDelta, Utc};
use conformance::{Subject, eventually};
use pgqueuer_client::Postgres;
use pgqueuer_e2e::cluster;
use pgqueuer_e2e::pgbouncer::PgBouncer;
use std::sync::OnceLock;
use std::time::Duration;

impl Subject for Postgres {
    async fn pass(&self, time: Duration) {
        let (begun, time) = (clock(self).await, TimeDelta::from_std(time).unwrap());
        eventually("time passes", async || (clock(self).await - begun >= time).then_some(())).await;
    }
}

/// The time by the server's clock. Without a prepared statement: it might not be there in the next message.
async fn clock(queue: &Postgres) -> DateTime<Utc> {
    let client = queue.pool().get().await.unwrap();
    client.query_typed("SELECT clock_timestamp()", &[]).await.unwrap()[0].get(0)
}

/// The addresses of a fresh database: through pgbouncer, and past it.
async fn addresses() -> (String, String) {
    static BOUNCER: OnceLock<PgBouncer> = OnceLock::new();
    let make = || {
        let database = cluster::database();
        // Few for each database, and none for those whose test is over: the server has room for 500.
        let settings = [("default_pool_size", "4"), ("server_idle_timeout", "1")];
        let bouncer = BOUNCER.get_or_init(|| PgBouncer::before(&database, &settings));
        (bouncer.address_of(&database.name), database.address())
    };
    // Blocking calls.
    tokio::task::spawn_blocking(make).await.unwrap()
}

async fn polled() -> (Postgres, ()) {
    let (through, _) = addresses().await;
    (Postgres::new(&through).unwrap().without_listen(), ())
}

async fn listening() -> (Postgres, ()) {
    let (through, past) = addresses().await;
    (Postgres::new(&through).unwrap().listen_at(&past).unwrap(), ())
}

mod with_a_way_past_it {
    conformance!(crate::listening);
}

mod without_one {
    conformance!(crate::polled);
}
