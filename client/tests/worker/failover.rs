//! A standby takes over: whoever knows both hosts goes on there.

use crate::running::Running;
use pgqueuer_client::{Context, Postgres, Worker};
use pgqueuer_e2e::ask::{column, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::frozen::Frozen;
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// A primary and its synchronous standby: what was answered is known to both.
fn pair() -> (Cluster, Cluster) {
    let primary = Cluster::start(&[]);
    let mut session = primary.connect("postgres");
    run(&mut session, "CREATE EXTENSION pgqueuer");
    let standby = Cluster::standby_of(&primary);
    primary.reload(&[("synchronous_standby_names", "*")]);
    let sync = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    until("the standby is synchronous", || (value::<i64>(&mut session, sync, &[]) == 1).then_some(()));
    (primary, standby)
}

/// A worker that knows both, and how many jobs it has begun.
fn worker(primary: &Cluster, standby: &Cluster) -> (Running, Arc<AtomicUsize>) {
    let port = |cluster: &Cluster| cluster.named("postgres").host_and_port().1;
    let address = format!(
        "host=127.0.0.1,127.0.0.1 port={},{} user=postgres dbname=postgres target_session_attrs=read-write connect_timeout=2",
        port(primary),
        port(standby),
    );
    let begun = Arc::new(AtomicUsize::new(0));
    let work = |context: Context<Arc<AtomicUsize>>| async move {
        context.state.fetch_add(1, SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let queue = Postgres::new(&address).unwrap().statement_timeout(Duration::from_secs(1));
    let worker = Worker::with_state(queue, begun.clone()).entrypoint("work", work).concurrency(4);
    (Running::start(worker.lease(Duration::from_secs(3)).build().unwrap()), begun)
}

fn all_end_once(session: &mut Client, ids: &[i64]) {
    until_within(MINUTE, "all jobs have ended", || {
        (value::<i64>(session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(())
    });
    let sql = "SELECT job_id FROM pgq.job_log WHERE outcome = 'successful' ORDER BY job_id";
    assert_eq!(column::<i64>(session, sql, &[]), ids);
}

#[test]
fn when_the_primary_is_stopped_a_worker_goes_on_where_the_standby_was() {
    let (primary, standby) = pair();
    let mut ids = enqueue(&mut primary.connect("postgres"), "work", 1000);
    let (running, begun) = worker(&primary, &standby);
    until("it works", || (begun.load(SeqCst) > 100).then_some(()));
    primary.stop(Stop::Immediate);
    let mut session = standby.connect("postgres");
    assert!(value::<bool>(&mut session, "SELECT pg_promote()", &[]));
    ids.extend(enqueue(&mut session, "work", 100));
    all_end_once(&mut session, &ids);
    running.stop().unwrap();
}

#[test]
fn when_the_primary_stands_still_a_worker_goes_on_where_the_standby_was() {
    let (primary, standby) = pair();
    let mut ids = enqueue(&mut primary.connect("postgres"), "work", 1000);
    let (running, begun) = worker(&primary, &standby);
    until("it works", || (begun.load(SeqCst) > 100).then_some(()));
    let frozen = Frozen::of(primary.processes());
    let mut session = standby.connect("postgres");
    assert!(value::<bool>(&mut session, "SELECT pg_promote()", &[]));
    ids.extend(enqueue(&mut session, "work", 100));
    all_end_once(&mut session, &ids);
    running.stop().unwrap();
    drop(frozen);
}
