//! A worker through restarts of its server: nothing is lost, nothing runs twice at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use pgqueuer_client::{Context, NewJob, Postgres, Producer, Worker};
use pgqueuer_e2e::ask::value;
use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::until::{until, until_within};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const JOBS: usize = 10_000;
const RESTARTS: usize = 20;

/// What the handlers did.
#[derive(Default)]
struct Seen {
    running: Mutex<HashMap<i64, u32>>,
    overlaps: AtomicU32,
    started: AtomicU32,
}

async fn work(context: Context<Arc<Seen>>) {
    let (seen, id) = (context.state.clone(), context.job.id);
    seen.started.fetch_add(1, SeqCst);
    if *seen.running.lock().unwrap().entry(id).and_modify(|n| *n += 1).or_insert(1) > 1 {
        seen.overlaps.fetch_add(1, SeqCst);
    }
    // Some jobs are short, some outlive a restart.
    tokio::time::sleep(Duration::from_millis(if id % 50 == 0 { 1500 } else { 5 })).await;
    seen.running.lock().unwrap().entry(id).and_modify(|n| *n -= 1);
}

#[test]
fn twenty_restarts_lose_no_job_and_run_none_twice_at_a_time() {
    let cluster = Cluster::start(&[("fsync", "on")]);
    let database = cluster.database();
    let queue = Postgres::new(&database.address()).unwrap();
    let runtime = Runtime::new().unwrap();
    let jobs = (0..JOBS).map(|_| NewJob::new("work").payload(vec![b'x'; 100])).collect();
    assert_eq!(runtime.block_on(queue.enqueue_many(jobs)).unwrap().len(), JOBS);
    let (seen, stop) = (Arc::new(Seen::default()), CancellationToken::new());
    let worker = Worker::with_state(queue, seen.clone()).entrypoint("work", work).concurrency(40).build().unwrap();
    let token = stop.clone().cancelled_owned();
    let run = runtime.spawn(async move { worker.run(token).await });
    for restart in 0..RESTARTS {
        let before = seen.started.load(SeqCst);
        until("the worker goes on", || (seen.started.load(SeqCst) > before + 100).then_some(()));
        cluster.stop(if restart % 2 == 0 { Stop::Immediate } else { Stop::Fast });
        cluster.begin();
    }
    let mut session = database.connect();
    let ended = Duration::from_secs(120);
    until_within(ended, "all jobs have ended", || {
        (value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(())
    });
    stop.cancel();
    runtime.block_on(run).unwrap().unwrap();
    let successful = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful'";
    assert_eq!(value::<i64>(&mut session, successful, &[]), JOBS as i64);
    let distinct = "SELECT count(DISTINCT job_id) FROM pgq.job_log WHERE outcome = 'successful'";
    assert_eq!(value::<i64>(&mut session, distinct, &[]), JOBS as i64);
    assert_eq!(seen.overlaps.load(SeqCst), 0);
    println!("{} attempts for {JOBS} jobs", seen.started.load(SeqCst));
}
