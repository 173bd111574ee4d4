//! A job that is completed in a transaction of its handler's: both happen, or neither.

use crate::running::{Running, only_logged, queue, until_logged};
use pgqueuer_client::{BoxError, Context, Control, Outcome, Postgres, Worker};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::until::until;
use postgres::Client;
use std::sync::Arc;
use tokio::sync::Notify;

/// What the handlers share.
struct App {
    queue: Postgres,
    /// The handler has got so far.
    reached: Notify,
    /// The handler may go on.
    go: Notify,
}

/// A worker's beginnings, for a database with one account of 100.
fn app(database: &Database) -> Arc<App> {
    run(&mut database.connect(), "CREATE TABLE account AS SELECT 100 AS balance");
    Arc::new(App { queue: queue(database), reached: Notify::new(), go: Notify::new() })
}

fn balance(session: &mut Client) -> i32 {
    value(session, "SELECT balance FROM account", &[])
}

const PAY: &str = "UPDATE account SET balance = balance - 1";

#[test]
fn what_is_completed_in_a_transaction_is_done_exactly_if_that_commits() {
    let database = database();
    let mut session = database.connect();
    let app = app(&database);
    let pay = |context: Context<Arc<App>>| async move {
        let mut client = context.state.queue.pool().get().await?;
        let transaction = client.transaction().await?;
        transaction.execute(PAY, &[]).await?;
        assert!(context.complete_in(&transaction).await?);
        if context.job.attempts == 0 {
            transaction.rollback().await?;
            return Err("changed my mind".into());
        }
        transaction.commit().await?;
        Ok::<_, BoxError>(())
    };
    run(&mut session, "SELECT pgq.configure('pay', backoff_initial => '0 s')");
    let id = enqueue(&mut session, "pay", 1)[0];
    let worker = Worker::with_state(app.queue.clone(), app).entrypoint("pay", pay);
    let running = Running::start(worker.build().unwrap());
    let log = until_logged(&mut session, id, &["retried", "successful"]);
    assert_eq!(log[0].text("message"), "changed my mind");
    assert_eq!(balance(&mut session), 99);
    running.stop().unwrap();
}

#[test]
fn what_is_completed_is_not_ended_again_by_what_the_handler_says_later() {
    let database = database();
    let mut session = database.connect();
    let app = app(&database);
    let pay = |context: Context<Arc<App>>| async move {
        let mut client = context.state.queue.pool().get().await?;
        let transaction = client.transaction().await?;
        context.complete_in(&transaction).await?;
        transaction.commit().await?;
        Err::<(), BoxError>("after the commit".into())
    };
    let id = enqueue(&mut session, "pay", 1)[0];
    let worker = Worker::with_state(app.queue.clone(), app).entrypoint("pay", pay);
    let running = Running::start(worker.build().unwrap());
    assert_eq!(only_logged(&mut session, id).outcome, "successful");
    running.stop().unwrap();
    assert_eq!(only_logged(&mut session, id).outcome, "successful");
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]), 0);
}

#[test]
fn whose_claim_was_lost_is_told_so_and_can_roll_back() {
    let database = database();
    let mut session = database.connect();
    let app = app(&database);
    let pay = |context: Context<Arc<App>>| async move {
        let mut client = context.state.queue.pool().get().await?;
        let transaction = client.transaction().await?;
        transaction.execute(PAY, &[]).await?;
        context.state.reached.notify_one();
        context.state.go.notified().await;
        if context.complete_in(&transaction).await? {
            transaction.commit().await?;
        }
        context.state.reached.notify_one();
        Ok::<_, BoxError>(Outcome::Done)
    };
    let id = enqueue(&mut session, "pay", 1)[0];
    let worker = Worker::with_state(app.queue.clone(), app.clone()).entrypoint("pay", pay);
    let running = Running::start(worker.build().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(app.reached.notified());
    assert_eq!(runtime.block_on(app.queue.cancel(&[id])).unwrap(), [id]);
    app.go.notify_one();
    runtime.block_on(app.reached.notified());
    assert_eq!(balance(&mut session), 100);
    running.stop().unwrap();
    assert_eq!(only_logged(&mut session, id).outcome, "canceled");
}

#[test]
fn a_transaction_that_is_open_when_the_worker_ends_is_rolled_back_and_its_job_is_queued() {
    let database = database();
    let mut session = database.connect();
    let app = app(&database);
    let pay = |context: Context<Arc<App>>| async move {
        let mut client = context.state.queue.pool().get().await?;
        let transaction = client.transaction().await?;
        transaction.execute(PAY, &[]).await?;
        assert!(context.complete_in(&transaction).await?);
        context.state.reached.notify_one();
        std::future::pending::<()>().await;
        Ok::<_, BoxError>(())
    };
    let id = enqueue(&mut session, "pay", 1)[0];
    let worker = Worker::with_state(app.queue.clone(), app.clone()).entrypoint("pay", pay);
    let running = Running::start(worker.shutdown_timeout(std::time::Duration::ZERO).build().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(app.reached.notified());
    running.stop().unwrap();
    let status = "SELECT status::text FROM pgq.jobs WHERE id = $1";
    until("it is queued again", || (value::<String>(&mut session, status, &[&id]) == "queued").then_some(()));
    assert_eq!(balance(&mut session), 100);
}
