//! What handlers return, throw and leave undone, and what becomes of their jobs.

use crate::running::{Event, Running, Tell, log_of, only_logged, queue, telling, until_logged};
use pgqueuer_client::{BoxError, Context, Entrypoint, Handler, NewJob, Next, Outcome, Producer, Worker, async_trait};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;
use postgres::Client;
use serde_json::json;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Status, attempts, and seconds to its start, of a live job.
fn live(session: &mut Client, id: i64) -> Option<(String, i32, f64)> {
    let sql = "SELECT status::text, attempts, extract(epoch FROM execute_after - clock_timestamp())::float8 FROM pgq.jobs WHERE id = $1";
    session.query_opt(sql, &[&id]).unwrap().map(|row| (row.get(0), row.get(1), row.get(2)))
}

#[test]
fn what_is_done_is_gone_and_logged_once_as_successful() {
    let database = database();
    let mut session = database.connect();
    let ids = ["unit", "fine", "done"].map(|name| enqueue(&mut session, name, 1)[0]);
    let worker = Worker::builder(queue(&database))
        .entrypoint("unit", |_: Context| async {})
        .entrypoint("fine", |_: Context| async { Ok::<_, BoxError>(()) })
        .entrypoint("done", |_: Context| async { Outcome::Done });
    let running = Running::start(worker.build().unwrap());
    for id in ids {
        let logged = only_logged(&mut session, id);
        assert_eq!((logged.outcome.as_str(), logged.attempts, logged.error), ("successful", 0, json!(null)));
        assert_eq!(live(&mut session, id), None);
    }
    running.stop().unwrap();
}

#[test]
fn a_retry_waits_for_its_delay_keeps_its_reason_and_is_no_failure() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('later', max_attempts => 1)");
    let id = enqueue(&mut session, "later", 1)[0];
    let worker = Worker::builder(queue(&database)).entrypoint("later", |context: Context| async move {
        match context.job.attempts {
            0 => Outcome::retry(Duration::ZERO),
            1 => Outcome::Retry(Duration::from_secs(3600), Some("the shop is\0closed".into())),
            _ => Outcome::Done,
        }
    });
    let running = Running::start(worker.build().unwrap());
    let log = until_logged(&mut session, id, &["retried", "retried"]);
    assert_eq!((&log[0].error, &log[1].error), (&json!(null), &json!("the shop is\u{FFFD}closed")));
    let (status, attempts, seconds) = live(&mut session, id).unwrap();
    assert_eq!((status.as_str(), attempts), ("queued", 2));
    assert!((3500.0..=3600.0).contains(&seconds), "{seconds}");
    run(&mut session, &format!("SELECT pgq.reschedule('{{{id}}}')"));
    until_logged(&mut session, id, &["retried", "retried", "successful"]);
    running.stop().unwrap();
}

#[test]
fn a_failure_comes_back_after_the_backoff_until_its_attempts_are_used_up() {
    let database = database();
    let mut session = database.connect();
    run(
        &mut session,
        "SELECT pgq.configure('held', max_attempts => 3, backoff_initial => '0 s'),
                pgq.configure('gone', max_attempts => 2, backoff_initial => '0 s', on_failure => 'delete'),
                pgq.configure('slow', backoff_initial => '1 hour', backoff_max => '2 hours')",
    );
    let [held, gone, slow] = ["held", "gone", "slow"].map(|name| enqueue(&mut session, name, 1)[0]);
    let broken = |context: Context| async move { Err::<(), _>(format!("attempt {} broke", context.job.attempts)) };
    let worker = Worker::builder(queue(&database));
    let worker = worker.entrypoint("held", broken).entrypoint("gone", broken).entrypoint("slow", broken);
    let running = Running::start(worker.build().unwrap());
    let log = until_logged(&mut session, held, &["retried", "retried", "failed"]);
    let messages: Vec<_> = log.iter().map(|logged| logged.text("message")).collect();
    assert_eq!(messages, ["attempt 0 broke", "attempt 1 broke", "attempt 2 broke"]);
    assert_eq!(live(&mut session, held).unwrap().0, "failed");
    until_logged(&mut session, gone, &["retried", "exception"]);
    assert_eq!(live(&mut session, gone), None);
    until_logged(&mut session, slow, &["retried"]);
    let seconds = live(&mut session, slow).unwrap().2;
    assert!((3500.0..=3600.0).contains(&seconds), "{seconds}");
    running.stop().unwrap();
}

#[test]
fn what_is_held_is_not_tried_again() {
    let database = database();
    let mut session = database.connect();
    let id = enqueue(&mut session, "hopeless", 1)[0];
    let worker =
        Worker::builder(queue(&database)).entrypoint("hopeless", |_: Context| async { Outcome::hold("no such user") });
    let running = Running::start(worker.build().unwrap());
    let logged = only_logged(&mut session, id);
    assert_eq!((logged.outcome.as_str(), logged.text("message")), ("failed", "no such user"));
    let (status, attempts, _) = live(&mut session, id).unwrap();
    assert_eq!((status.as_str(), attempts), ("failed", 1));
    running.stop().unwrap();
}

#[test]
fn an_error_is_logged_with_all_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("the mail was not sent")]
    struct NotSent(#[source] std::io::Error);

    let database = database();
    let mut session = database.connect();
    let id = enqueue(&mut session, "mail", 1)[0];
    let worker = Worker::builder(queue(&database)).entrypoint("mail", |_: Context| async {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        Err::<(), _>(NotSent(std::io::Error::other(refused)))
    });
    let running = Running::start(worker.build().unwrap());
    let error = only_logged(&mut session, id).error;
    assert_eq!(error["message"], "the mail was not sent");
    assert_eq!(error["causes"].as_array().unwrap().last().unwrap(), "connection refused");
    running.stop().unwrap();
}

#[test]
fn a_payload_that_cannot_be_read_is_a_failure_that_says_where() {
    #[derive(Debug, serde::Deserialize)]
    struct Order {
        number: u32,
    }

    let database = database();
    let mut session = database.connect();
    let [wrong, right] = [r#"{"number": "seven"}"#, r#"{"number": 7}"#]
        .map(|payload| value::<i64>(&mut session, "SELECT pgq.enqueue('order', $1)", &[&payload]));
    let (sender, seen) = channel();
    let worker = telling(queue(&database), sender).entrypoint("order", |context: Context<Tell<u32>>| async move {
        let order: Order = context.job.json()?;
        context.state.tell(order.number);
        Ok::<_, pgqueuer_client::Error>(())
    });
    let running = Running::start(worker.build().unwrap());
    let logged = until_logged(&mut session, wrong, &["retried"]).remove(0);
    assert_eq!(logged.text("message"), "the payload is not what was expected");
    assert!(logged.error["causes"][0].as_str().unwrap().contains("expected u32 at line 1 column"), "{logged:?}");
    assert_eq!(only_logged(&mut session, right).outcome, "successful");
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [7]);
    running.stop().unwrap();
}

#[test]
fn a_result_that_the_server_refuses_is_a_failure_and_holds_nobody_up() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('for_ever', max_attempts => 1)");
    let never = enqueue(&mut session, "for_ever", 1)[0];
    let others = enqueue(&mut session, "fine", 20);
    let (sender, seen) = channel();
    let worker = telling(queue(&database), sender).entrypoint("fine", |_: Context<Tell<Event>>| async {}).entrypoint(
        "for_ever",
        |context: Context<Tell<Event>>| async move {
            context.state.tell(Event::Begun(context.job.id));
            Outcome::retry(Duration::MAX)
        },
    );
    let running = Running::start(worker.concurrency(21).build().unwrap());
    for id in others {
        assert_eq!(only_logged(&mut session, id).outcome, "successful");
    }
    let logged = only_logged(&mut session, never);
    assert_eq!(logged.outcome, "failed");
    assert!(logged.text("message").contains("refused"), "{logged:?}");
    assert!(logged.error["causes"][0].as_str().unwrap().contains("out of range"), "{logged:?}");
    running.stop().unwrap();
    assert_eq!(seen.try_iter().count(), 1, "it is not run again and again");
}

#[test]
fn middleware_runs_from_the_outermost_inwards_and_changes_what_comes_out() {
    type Words = Tell<String>;
    let database = database();
    let mut session = database.connect();
    let id = enqueue(&mut session, "work", 1)[0];
    let (sender, seen) = channel();
    let around = |name: &'static str| {
        move |context: Context<Words>, next: Next<Words>| async move {
            let state = context.state.clone();
            state.tell(format!("{name} begins"));
            let outcome = next.run(context).await;
            state.tell(format!("{name} saw {outcome:?}"));
            if name == "inner" { Outcome::hold("inner says no") } else { outcome }
        }
    };
    let worker = telling(queue(&database), sender)
        .middleware(around("outer"))
        .middleware(around("inner"))
        .entrypoint("work", |context: Context<Words>| async move { context.state.tell("works".into()) });
    let running = Running::start(worker.build().unwrap());
    assert_eq!(only_logged(&mut session, id).text("message"), "inner says no");
    running.stop().unwrap();
    let seen: Vec<_> = seen.try_iter().collect();
    assert_eq!(seen[..4], ["outer begins", "inner begins", "works", "inner saw Done"]);
    assert!(seen[4].starts_with("outer saw Hold"), "{seen:?}");
}

#[test]
fn a_middleware_may_stand_in_for_the_handler() {
    let database = database();
    let mut session = database.connect();
    let id = enqueue(&mut session, "work", 1)[0];
    let worker = Worker::builder(queue(&database))
        .middleware(|_: Context, _: Next| async { Outcome::Done })
        .entrypoint("work", |_: Context| async { Outcome::fail("nobody calls this") });
    let running = Running::start(worker.build().unwrap());
    assert_eq!(only_logged(&mut session, id).outcome, "successful");
    running.stop().unwrap();
}

#[test]
fn handlers_share_one_state() {
    struct Greeter;

    #[async_trait]
    impl Handler<Tell<String>> for Greeter {
        async fn handle(&self, context: Context<Tell<String>>) -> Result<Outcome, BoxError> {
            context.state.tell(format!("hello {}", context.job.text()?));
            Ok(Outcome::Done)
        }
    }

    let database = database();
    let (sender, seen) = channel();
    let worker =
        telling(queue(&database), sender)
            .entrypoint("a", Greeter)
            .entrypoint("b", |context: Context<Tell<String>>| async move {
                context.state.tell(context.job.entrypoint.clone())
            });
    let running = Running::start(worker.build().unwrap());
    let queue = queue(&database);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(queue.enqueue(NewJob::new("a").payload("world"))).unwrap();
    runtime.block_on(queue.enqueue(NewJob::new("b"))).unwrap();
    let mut seen: Vec<_> = (0..2).map(|_| seen.recv_timeout(Duration::from_secs(10)).unwrap()).collect();
    seen.sort();
    assert_eq!(seen, ["b", "hello world"]);
    running.stop().unwrap();
}

/// Tells of its end.
struct Guard<'a>(&'a Tell<Event>, i64);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.tell(Event::Dropped(self.1));
    }
}

#[test]
fn a_handler_whose_time_is_up_is_dropped_and_its_children_are_told() {
    let database = database();
    let mut session = database.connect();
    let id = enqueue(&mut session, "slow", 1)[0];
    let (sender, seen) = channel();
    let slow = |context: Context<Tell<Event>>| async move {
        let (id, state, canceled) = (context.job.id, context.state.clone(), context.canceled.clone());
        let child = state.clone();
        tokio::spawn(async move {
            canceled.cancelled().await;
            child.tell(Event::Canceled(id));
        });
        let _guard = Guard(&state, id);
        state.tell(Event::Begun(id));
        std::future::pending::<()>().await;
    };
    let entrypoint = Entrypoint::new("slow", slow).timeout(Duration::from_millis(200));
    let running = Running::start(telling(queue(&database), sender).register(entrypoint).build().unwrap());
    let logged = until_logged(&mut session, id, &["retried"]).remove(0);
    assert_eq!(logged.text("message"), "timed out after 0.2 s");
    let mut seen: Vec<_> = (0..3).map(|_| seen.recv_timeout(Duration::from_secs(10)).unwrap()).collect();
    assert_eq!(seen.remove(0), Event::Begun(id));
    assert!(seen.contains(&Event::Canceled(id)) && seen.contains(&Event::Dropped(id)), "{seen:?}");
    running.stop().unwrap();
}

#[test]
fn a_handler_that_is_in_time_is_not_canceled() {
    let database = database();
    let mut session = database.connect();
    let id = enqueue(&mut session, "quick", 1)[0];
    let quick = |context: Context| async move {
        if context.canceled.is_cancelled() { Outcome::fail("canceled") } else { Outcome::Done }
    };
    let entrypoint = Entrypoint::new("quick", quick).timeout(Duration::from_secs(60));
    let running = Running::start(Worker::builder(queue(&database)).register(entrypoint).build().unwrap());
    assert_eq!(only_logged(&mut session, id).outcome, "successful");
    until("nothing is left", || (value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(()));
    assert_eq!(log_of(&mut session, id).len(), 1);
    running.stop().unwrap();
}
