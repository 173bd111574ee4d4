//! Leases that end while the server is away or does not hear: no handler goes on for longer than it may, and no claim stays.

use crate::running::{Event, Running, Tell, log_of, queue, telling, until_canceled, until_logged};
use pgqueuer_client::{Context, Postgres, Worker};
use pgqueuer_e2e::ask::{column, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database};
use pgqueuer_e2e::frozen::Frozen;
use pgqueuer_e2e::proxy::{Loss, Proxy};
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

const SOON: Duration = Duration::from_secs(10);
const LEASE: Duration = Duration::from_secs(3);

fn must_see(seen: &Receiver<Event>, event: Event) {
    assert_eq!(seen.recv_timeout(SOON), Ok(event));
}

/// Lasts until it is canceled and half a second more, as one does that has something to put in order; the second time it is
/// done at once.
async fn slow_to_end(context: Context<Tell<Event>>) {
    let (id, state) = (context.job.id, context.state);
    state.tell(Event::Begun(id));
    if context.job.attempts == 0 {
        context.canceled.cancelled().await;
        state.tell(Event::Canceled(id));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    state.tell(Event::Ended(id));
}

#[test]
fn when_the_lease_is_over_handlers_are_told_and_the_next_attempt_waits_for_them() {
    let database = database();
    let mut session = database.connect();
    let proxy = Proxy::before(&database);
    let (sender, seen) = channel();
    let worker = telling(Postgres::new(&proxy.address()).unwrap(), sender).entrypoint("slow", slow_to_end);
    let running = Running::start(worker.lease(LEASE).build().unwrap());
    let id = enqueue(&mut session, "slow", 1)[0];
    must_see(&seen, Event::Begun(id));
    let begun = Instant::now();
    proxy.freeze(true);
    must_see(&seen, Event::Canceled(id));
    let told = begun.elapsed();
    println!("told after {told:?}");
    // The last sign of life is older than the freeze; nobody may go on for longer than the lease.
    assert!(told < LEASE + Duration::from_millis(300), "{told:?}");
    until_logged(&mut session, id, &["released"]);
    proxy.freeze(false);
    must_see(&seen, Event::Ended(id));
    must_see(&seen, Event::Begun(id));
    must_see(&seen, Event::Ended(id));
    until_logged(&mut session, id, &["released", "successful"]);
    running.stop().unwrap();
}

#[test]
fn a_job_that_comes_back_while_its_handler_runs_waits_for_it() {
    let database = database();
    let mut session = database.connect();
    let proxy = Proxy::before(&database);
    let (sender, seen) = channel();
    // As soon as it can be reached the queue gives the job away again, half a second before the handler has ended.
    let queue = Postgres::new(&proxy.address()).unwrap().statement_timeout(Duration::from_millis(500));
    let worker = telling(queue, sender).entrypoint("slow", slow_to_end);
    let running = Running::start(worker.lease(LEASE).poll_interval(Duration::from_millis(50)).build().unwrap());
    let id = enqueue(&mut session, "slow", 1)[0];
    must_see(&seen, Event::Begun(id));
    proxy.refuse(true);
    proxy.cut();
    until_logged(&mut session, id, &["released"]);
    proxy.refuse(false);
    must_see(&seen, Event::Canceled(id));
    must_see(&seen, Event::Ended(id));
    must_see(&seen, Event::Begun(id));
    must_see(&seen, Event::Ended(id));
    until_logged(&mut session, id, &["released", "successful"]);
    running.stop().unwrap();
}

#[test]
fn a_claim_that_is_lost_while_it_waits_for_the_last_handler_never_begins() {
    let database = database();
    let mut session = database.connect();
    let proxy = Proxy::before(&database);
    let (sender, seen) = channel();
    let go = Arc::new(Notify::new());
    let goes = go.clone();
    let queue = Postgres::new(&proxy.address()).unwrap().statement_timeout(Duration::from_millis(500));
    let worker = telling(queue, sender).entrypoint("deaf", move |context: Context<Tell<Event>>| {
        let go = goes.clone();
        async move {
            context.state.tell(Event::Begun(context.job.id));
            go.notified().await;
            context.state.tell(Event::Ended(context.job.id));
        }
    });
    let running = Running::start(worker.lease(LEASE).poll_interval(Duration::from_millis(50)).build().unwrap());
    let id = enqueue(&mut session, "deaf", 1)[0];
    must_see(&seen, Event::Begun(id));
    let attempt = "SELECT attempts FROM pgq.jobs WHERE status = 'picked'";
    for lost in 1..=2 {
        proxy.refuse(true);
        proxy.cut();
        until_logged(&mut session, id, &vec!["released"; lost]);
        proxy.refuse(false);
        let claimed = [i32::try_from(lost).unwrap()];
        until("it is claimed again", || (column::<i32>(&mut session, attempt, &[]) == claimed).then_some(()));
        // The worker knows of it long before it beats the next time.
        proxy.lose("pgq.heartbeat", Loss::Nothing);
        until("the worker has it", || proxy.has_lost().then_some(()));
    }
    go.notify_one();
    must_see(&seen, Event::Ended(id));
    must_see(&seen, Event::Begun(id));
    go.notify_one();
    must_see(&seen, Event::Ended(id));
    until_logged(&mut session, id, &["released", "released", "successful"]);
    running.stop().unwrap();
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), []);
}

fn until_written_down(session: &mut Client, claims: i64) {
    until("the claims have receipts", || {
        (value::<i64>(session, "SELECT count(*) FROM pgq.receipt", &[]) == claims).then_some(())
    });
}

#[test]
fn what_a_worker_gave_up_and_the_server_kept_is_given_back() {
    let cluster = Cluster::start(&[("pgqueuer.receipt_after", "0")]);
    let database = cluster.database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    // One job's handler does not listen: the worker holds it all the time, and says that it lives.
    let deaf = |context: Context<Tell<Event>>| async move {
        context.state.tell(Event::Begun(context.job.id));
        std::future::pending::<()>().await;
    };
    let worker = telling(queue(&database), sender).entrypoint("deaf", deaf).entrypoint("long", until_canceled);
    let running = Running::start(worker.lease(LEASE).shutdown_timeout(Duration::ZERO).build().unwrap());
    let deaf = enqueue(&mut session, "deaf", 1)[0];
    must_see(&seen, Event::Begun(deaf));
    let long = enqueue(&mut session, "long", 1)[0];
    must_see(&seen, Event::Begun(long));
    until_written_down(&mut session, 2);
    // In good order: after a crash the receipts, of which the commit waits for no flush, may be gone.
    cluster.stop(Stop::Fast);
    must_see(&seen, Event::Canceled(long));
    cluster.begin();
    // It comes again, here or elsewhere; in vain, had the worker kept it without knowing.
    must_see(&seen, Event::Begun(long));
    let mut session = database.connect();
    assert_eq!(column::<i32>(&mut session, "SELECT attempts FROM pgq.jobs WHERE id = $1", &[&long]), [0]);
    assert_eq!(log_of(&mut session, long), []);
    running.stop().unwrap();
}

#[test]
fn through_a_short_absence_of_the_server_handlers_go_on() {
    let cluster = Cluster::start(&[("pgqueuer.receipt_after", "0")]);
    let database = cluster.database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let worker = telling(queue(&database), sender).entrypoint("long", |context: Context<Tell<Event>>| async move {
        context.state.tell(Event::Begun(context.job.id));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(4)) => context.state.tell(Event::Ended(context.job.id)),
            () = context.canceled.cancelled() => context.state.tell(Event::Canceled(context.job.id)),
        }
    });
    let running = Running::start(worker.lease(Duration::from_secs(30)).build().unwrap());
    let ids = enqueue(&mut session, "long", 3);
    (0..3).for_each(|_| assert!(matches!(seen.recv_timeout(SOON), Ok(Event::Begun(_)))));
    until_written_down(&mut session, 3);
    cluster.stop(Stop::Fast);
    cluster.begin();
    (0..3).for_each(|_| assert!(matches!(seen.recv_timeout(SOON), Ok(Event::Ended(_)))));
    let mut session = database.connect();
    for id in ids {
        until_logged(&mut session, id, &["successful"]);
    }
    running.stop().unwrap();
}

#[test]
fn a_server_that_stands_still_for_longer_than_the_lease_finds_its_worker_again() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let queue = queue(&database).statement_timeout(Duration::from_secs(1));
    let first = AtomicBool::new(true);
    let worker = telling(queue, sender).entrypoint("long", move |context: Context<Tell<Event>>| {
        let is_first = first.swap(false, SeqCst);
        async move {
            context.state.tell(Event::Begun(context.job.id));
            if is_first {
                context.canceled.cancelled().await;
                context.state.tell(Event::Canceled(context.job.id));
            }
        }
    });
    let running = Running::start(worker.lease(LEASE).build().unwrap());
    let id = enqueue(&mut session, "long", 1)[0];
    must_see(&seen, Event::Begun(id));
    let frozen = Frozen::of(cluster.processes());
    must_see(&seen, Event::Canceled(id));
    drop(frozen);
    must_see(&seen, Event::Begun(id));
    until("it has ended", || (value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(()));
    // A heartbeat that lay before the server may have kept the claim: then the worker has returned it, and it does not count.
    let log = log_of(&mut session, id);
    let outcomes: Vec<_> = log.iter().map(|logged| logged.outcome.as_str()).collect();
    assert!([&["released", "successful"][..], &["successful"]].contains(&outcomes.as_slice()), "{outcomes:?}");
    running.stop().unwrap();
}

/// How often the server has refused a heartbeat.
fn refusals(cluster: &Cluster) -> usize {
    cluster.log().matches("permission denied for function heartbeat").count()
}

#[test]
fn whose_heartbeats_are_refused_claims_nothing_until_one_is_heard() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    run(&mut session, "CREATE ROLE worker LOGIN; SELECT pgq.grant_worker('worker')");
    let as_worker = Database::address(&database).replace("user=postgres", "user=worker");
    let (sender, seen) = channel();
    let queue = Postgres::new(&as_worker).unwrap().without_listen();
    let worker = telling(queue, sender).entrypoint("long", until_canceled).lease(LEASE);
    let worker = worker.poll_interval(Duration::from_millis(20)).shutdown_timeout(Duration::ZERO);
    let running = Running::start(worker.build().unwrap());
    let first = enqueue(&mut session, "long", 1)[0];
    must_see(&seen, Event::Begun(first));
    run(&mut session, "REVOKE EXECUTE ON FUNCTION pgq.heartbeat FROM worker");
    // When the second one is refused the first one's answer has come.
    until("two heartbeats are refused", || (refusals(&cluster) > 1).then_some(()));
    let before = refusals(&cluster);
    let second = enqueue(&mut session, "long", 1)[0];
    must_see(&seen, Event::Canceled(first));
    until("some more are refused", || (refusals(&cluster) > before + 2).then_some(()));
    let queued = "SELECT id FROM pgq.jobs WHERE status = 'queued' ORDER BY id";
    until_within(SOON, "the first is queued again", || {
        (column::<i64>(&mut session, queued, &[]) == [first, second]).then_some(())
    });
    run(&mut session, "GRANT EXECUTE ON FUNCTION pgq.heartbeat TO worker");
    let begun: Vec<_> = (0..2).map(|_| seen.recv_timeout(SOON).unwrap()).collect();
    assert!(begun.contains(&Event::Begun(first)) && begun.contains(&Event::Begun(second)), "{begun:?}");
    running.stop().unwrap();
}

#[test]
fn a_worker_that_nobody_hears_of_any_more_loses_its_jobs_when_its_lease_is_over() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let worker = telling(queue(&database).without_listen(), sender).entrypoint("slow", slow_to_end).lease(LEASE);
    let running = Running::start(worker.build().unwrap());
    let id = enqueue(&mut session, "slow", 1)[0];
    must_see(&seen, Event::Begun(id));
    let runtime = running.abandon();
    until_logged(&mut session, id, &["released"]);
    drop(runtime);
    let worker = Worker::builder(queue(&database)).entrypoint("slow", |_: Context| async {}).build().unwrap();
    let running = Running::start(worker);
    until_logged(&mut session, id, &["released", "successful"]);
    running.stop().unwrap();
}
