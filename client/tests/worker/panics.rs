//! Panics: in a handler, around it, in what it throws and in what it leaves behind. Each fails its attempt, and nothing
//! else.

use crate::running::{Logged, Running, only_logged, queue, until_logged};
use pgqueuer_client::{
    Backend, BoxError, Context, Ended, Entrypoint, Fetch, Handler, Job, Next, Outcome, Postgres, Signals, Worker,
    async_trait,
};
use pgqueuer_e2e::ask::{enqueue, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::until::until;
use std::any::Any;
use std::fmt;
use std::panic::{catch_unwind, panic_any, resume_unwind};
use std::time::Duration;
use uuid::Uuid;

/// What the log says of one job of a worker with this handler; another job of the worker ends well after it.
fn logged_of(database: &Database, handler: impl Handler) -> Logged {
    logged_with(database, Worker::builder(queue(database)).entrypoint("panics", handler))
}

fn logged_with(database: &Database, worker: pgqueuer_client::WorkerBuilder) -> Logged {
    let mut session = database.connect();
    let worker = worker.entrypoint("fine", |_: Context| async {}).concurrency(1).build().unwrap();
    let running = Running::start(worker);
    let id = enqueue(&mut session, "panics", 1)[0];
    let logged = until_logged(&mut session, id, &["retried"]).remove(0);
    let after = enqueue(&mut session, "fine", 1)[0];
    assert_eq!(only_logged(&mut session, after).outcome, "successful");
    let claims = "SELECT count(*) FROM pgq.jobs WHERE status = 'picked'";
    until("nothing is held", || (value::<i64>(&mut session, claims, &[]) == 0).then_some(()));
    running.stop().unwrap();
    logged
}

fn throw(what: impl Any + Send) -> Outcome {
    panic_any(what)
}

fn must_name_this_file(logged: &Logged) {
    let backtrace = logged.text("backtrace");
    assert!(backtrace.starts_with("at client/tests/worker/panics.rs:"), "{backtrace}");
    assert!(backtrace.lines().count() > 5, "{backtrace}");
}

#[test]
fn a_panic_is_a_failure_with_its_backtrace_before_and_after_an_await() {
    let database = database();
    let logged = logged_of(&database, |context: Context| {
        assert_eq!(context.job.entrypoint, "other", "before the future is made");
        async {}
    });
    assert!(logged.text("message").starts_with("panic: assertion"), "{logged:?}");
    must_name_this_file(&logged);
    let logged = logged_of(&database, |_: Context| async {
        let empty: Vec<u32> = vec![];
        println!("{}", empty[7]);
    });
    assert!(logged.text("message").contains("index out of bounds: the len is 0 but the index is 7"), "{logged:?}");
    let logged = logged_of(&database, |_: Context| async {
        tokio::task::yield_now().await;
        throw("after an await")
    });
    assert_eq!(logged.text("message"), "panic: after an await");
    must_name_this_file(&logged);
}

#[test]
fn a_panic_may_carry_anything() {
    let database = database();
    let logged = logged_of(&database, |_: Context| async { throw(String::from("a String")) });
    assert_eq!(logged.text("message"), "panic: a String");
    let logged = logged_of(&database, |_: Context| async { throw("a &str") });
    assert_eq!(logged.text("message"), "panic: a &str");
    let logged = logged_of(&database, |_: Context| async { throw(42_u64) });
    assert_eq!(logged.text("message"), "panic: of an unknown kind");
    must_name_this_file(&logged);
}

#[test]
fn a_panic_that_panics_when_it_is_thrown_away_is_a_failure_too() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    let logged = logged_of(&database(), |_: Context| async { throw(Bomb) });
    assert!(logged.text("message").starts_with("panic: "), "{logged:?}");
}

#[test]
fn a_middleware_sees_the_panic_of_its_handler_and_may_panic_itself() {
    let database = database();
    let worker = |text: &'static str| {
        Worker::builder(queue(&database))
            .middleware(move |context: Context, next: Next| async move {
                let is_fine = context.job.entrypoint == "fine";
                match next.run(context).await {
                    _ if !is_fine && text == "mine" => panic!("a panic of {text}"),
                    Outcome::Fail(failure) => Outcome::fail(format!("{text} saw: {failure}")),
                    outcome => outcome,
                }
            })
            .entrypoint("panics", |_: Context| async { throw("a panic of the handler") })
    };
    let logged = logged_with(&database, worker("the middleware"));
    assert_eq!(logged.text("message"), "the middleware saw: panic: a panic of the handler");
    let logged = logged_with(&database, worker("mine"));
    assert_eq!(logged.text("message"), "panic: a panic of mine");
    must_name_this_file(&logged);
}

#[test]
fn an_error_that_panics_when_it_is_read_is_a_failure() {
    #[derive(Debug)]
    struct Unreadable;

    impl std::error::Error for Unreadable {}

    impl fmt::Display for Unreadable {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("nobody can read this")
        }
    }

    struct Fails;

    #[async_trait]
    impl Handler for Fails {
        async fn handle(&self, _: Context) -> Result<Outcome, BoxError> {
            Err(Unreadable.into())
        }
    }

    let logged = logged_of(&database(), Fails);
    assert_eq!(logged.text("message"), "panic: nobody can read this");
}

#[test]
fn a_handler_that_panics_when_it_is_dropped_gives_its_claim_and_its_permit_back() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped at its await");
        }
    }

    let hangs = |_: Context| async {
        let _bomb = Bomb;
        std::future::pending::<()>().await;
    };
    let database = database();
    let entrypoint = Entrypoint::new("panics", hangs).timeout(Duration::from_millis(100)).concurrency(1);
    let logged = logged_with(&database, Worker::builder(queue(&database)).register(entrypoint));
    assert_eq!(logged.text("message"), "panic: dropped at its await");
}

#[test]
fn a_panic_that_is_passed_on_carries_no_backtrace_of_another() {
    let database = database();
    let passes_on = |context: Context| async move {
        if context.job.attempts == 0 {
            // Leaves a backtrace of its own behind, and is over.
            catch_unwind(|| panic!("caught")).unwrap_err();
            tokio::task::yield_now().await;
        }
        let other = tokio::spawn(async { throw("in a task of its own") });
        other.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    };
    let logged = logged_of(&database, passes_on);
    assert_eq!((logged.text("message"), logged.text("backtrace")), ("panic: in a task of its own", ""));
}

#[test]
fn a_hundred_panics_at_one_time_have_their_own_texts() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "panics", 100);
    let worker = Worker::builder(queue(&database))
        .entrypoint("panics", |context: Context| async move {
            tokio::task::yield_now().await;
            throw(format!("job {}", context.job.id))
        })
        .concurrency(50);
    let running = Running::start(worker.build().unwrap());
    for id in ids {
        let logged = until_logged(&mut session, id, &["retried"]).remove(0);
        assert_eq!(logged.text("message"), format!("panic: job {id}"));
        must_name_this_file(&logged);
    }
    running.stop().unwrap();
}

/// A queue that panics when it is told how a job ended, or that the worker lives.
struct Breaks {
    queue: Postgres,
    in_finish: bool,
}

#[async_trait]
impl Backend for Breaks {
    async fn dequeue(&self, fetch: &Fetch<'_>) -> pgqueuer_client::Result<Vec<Job>> {
        self.queue.dequeue(fetch).await
    }

    async fn finish(&self, worker: Uuid, ended: &[Ended]) -> pgqueuer_client::Result<Vec<i64>> {
        assert!(!self.in_finish, "of the queue");
        self.queue.finish(worker, ended).await
    }

    async fn heartbeat(&self, worker: Uuid, lease: Duration, held: &[i64]) -> pgqueuer_client::Result<Vec<i64>> {
        assert!(self.in_finish || held.is_empty(), "of the queue");
        self.queue.heartbeat(worker, lease, held).await
    }

    async fn signals(&self, worker: Uuid, names: &[String]) -> pgqueuer_client::Result<Option<Box<dyn Signals>>> {
        self.queue.signals(worker, names).await
    }

    async fn queued(&self, entrypoints: &[String]) -> pgqueuer_client::Result<i64> {
        self.queue.queued(entrypoints).await
    }
}

#[test]
fn a_queue_that_panics_ends_the_worker_and_the_claims_go_with_it() {
    let database = database();
    let mut session = database.connect();
    for in_finish in [true, false] {
        let id = enqueue(&mut session, "work", 1)[0];
        let breaks = Breaks { queue: queue(&database), in_finish };
        let work = move |_: Context| async move {
            if !in_finish {
                std::future::pending::<()>().await;
            }
        };
        let worker = Worker::builder(breaks).entrypoint("work", work).lease(Duration::from_secs(1)).build().unwrap();
        let running = Running::start(worker);
        until("the worker has ended", || running.has_ended().then_some(()));
        catch_unwind(std::panic::AssertUnwindSafe(|| running.answer())).expect_err("with the panic");
        until_logged(&mut session, id, &["released"]);
        value::<Vec<i64>>(&mut session, "SELECT pgq.cancel($1)", &[&vec![id]]);
    }
}
