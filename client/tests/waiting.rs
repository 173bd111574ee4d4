//! Waiting for the end of jobs, on connections of its own: what is left of it in the server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod running;

use pgqueuer_client::{Completion, Control, Postgres, Status};
use pgqueuer_e2e::ask::{enqueue, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::proxy::Proxy;
use pgqueuer_e2e::until::until;
use postgres::Client;
use running::queue;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How many sessions of this database wait.
fn waiting(session: &mut Client) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity
                WHERE query LIKE 'CALL pgq.wait_for%' AND state = 'active' AND datname = current_database()";
    value(session, sql, &[])
}

#[test]
fn whoever_gives_up_waiting_leaves_nobody_behind_who_waits() {
    let database = database();
    let mut session = database.connect();
    let (queue, runtime) = (queue(&database), Runtime::new().unwrap());
    let ids = enqueue(&mut session, "work", 3);
    let waits = runtime.spawn(async move { queue.wait_for(&ids).await });
    until("it waits", || (waiting(&mut session) == 1).then_some(()));
    waits.abort();
    until("nobody waits", || (waiting(&mut session) == 0).then_some(()));
}

#[test]
fn a_connection_that_is_cut_in_the_middle_is_made_again() {
    let database = database();
    let mut session = database.connect();
    let proxy = Proxy::before(&database);
    let (queue, runtime) = (Postgres::new(&proxy.address()).unwrap(), Runtime::new().unwrap());
    let ids = enqueue(&mut session, "work", 3);
    let (asked, all) = (queue.clone(), ids.clone());
    let waits = runtime.spawn(async move { asked.wait_for(&all).await });
    for cut in 0..3 {
        // Those that were cut off wait on, and do no harm.
        until("it waits", || (waiting(&mut session) > cut).then_some(()));
        proxy.cut();
    }
    runtime.block_on(queue.cancel(&ids)).unwrap();
    let ended = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), waits).await });
    let ended = ended.expect("it is told").unwrap().unwrap();
    assert!(ended.iter().map(|job| job.status).eq([Status::Canceled; 3]));
}
