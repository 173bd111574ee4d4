//! Limits and orders over all workers, as two of them see them: never exceeded, and nobody waits for the clock.

use crate::running::{Running, queue};
use pgqueuer_client::{Context, Worker};
use pgqueuer_e2e::ask::{column, enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::until::until_within;
use postgres::Client;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than any test: what is missed by a worker that listens is looked for after a minute.
const NEVER: Duration = Duration::from_secs(3600);

/// What runs, and what ran, in its order.
type Ran = (Option<i64>, Vec<i64>);

/// What the handlers of both workers see.
#[derive(Default)]
struct Seen {
    now: AtomicUsize,
    most: AtomicUsize,
    /// For each ordering key.
    keys: Mutex<HashMap<String, Ran>>,
    faults: Mutex<Vec<String>>,
}

impl Seen {
    fn fault(&self, what: String) {
        self.faults.lock().unwrap().push(what);
    }
}

/// Two workers of the same entrypoints, with more permits than any limit.
fn two(database: &Database, seen: &Arc<Seen>) -> [Running; 2] {
    [(); 2].map(|()| {
        let worker = Worker::with_state(queue(database), seen.clone()).entrypoint("work", work);
        let worker = worker.entrypoint("other", work);
        Running::start(worker.concurrency(10).poll_interval(NEVER).build().unwrap())
    })
}

async fn work(context: Context<Arc<Seen>>) {
    let (seen, job) = (&context.state, &context.job);
    let now = seen.now.fetch_add(1, SeqCst) + 1;
    seen.most.fetch_max(now, SeqCst);
    if let Some(key) = &job.ordering_key {
        let mut keys = seen.keys.lock().unwrap();
        let (running, ran) = keys.entry(key.clone()).or_default();
        if let Some(other) = running.replace(job.id) {
            seen.fault(format!("{} runs beside {other}", job.id));
        }
        if ran.last().is_some_and(|last| *last > job.id) {
            seen.fault(format!("{} runs after {ran:?}", job.id));
        }
        ran.push(job.id);
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    if let Some(key) = &job.ordering_key {
        seen.keys.lock().unwrap().get_mut(key).unwrap().0 = None;
    }
    seen.now.fetch_sub(1, SeqCst);
}

fn until_ended(session: &mut Client, jobs: i64, patience: Duration) {
    until_within(patience, "all jobs have ended", || {
        (value::<i64>(session, "SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful'", &[]) == jobs)
            .then_some(())
    });
}

fn end(workers: [Running; 2], seen: &Seen) {
    workers.into_iter().for_each(|worker| worker.stop().unwrap());
    assert_eq!(*seen.faults.lock().unwrap(), [""; 0]);
}

/// How many different workers ended jobs.
fn workers_of(session: &mut Client) -> i64 {
    value(session, "SELECT count(DISTINCT worker) FROM pgq.job_log", &[])
}

#[test]
fn two_workers_never_exceed_a_concurrency_limit_and_use_all_of_it() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('work', concurrency_limit => 3)");
    let seen = Arc::new(Seen::default());
    enqueue(&mut session, "work", 500);
    let workers = two(&database, &seen);
    let begun = Instant::now();
    until_ended(&mut session, 500, Duration::from_secs(30));
    println!("500 jobs of 2 ms, three at a time: {:?}", begun.elapsed());
    end(workers, &seen);
    assert_eq!(seen.most.load(SeqCst), 3);
    assert_eq!(workers_of(&mut session), 2);
}

#[test]
fn two_workers_never_exceed_a_rate_limit_and_go_on_as_soon_as_it_allows() {
    const LIMIT: usize = 10;
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('work', rate_limit => 10, rate_period => '500 ms')");
    let seen = Arc::new(Seen::default());
    enqueue(&mut session, "work", 50);
    let begun = Instant::now();
    let workers = two(&database, &seen);
    until_ended(&mut session, 50, Duration::from_secs(20));
    let took = begun.elapsed();
    end(workers, &seen);
    let sql = "SELECT (extract(epoch FROM picked) * 1e6)::bigint FROM pgq.job_log ORDER BY picked";
    let picked = column::<i64>(&mut session, sql, &[]);
    for window in picked.windows(LIMIT + 1) {
        assert!(window[LIMIT] - window[0] >= 500_000, "{} within {} us", LIMIT + 1, window[LIMIT] - window[0]);
    }
    // Four periods at least; a look by the clock would take minutes.
    assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[test]
fn jobs_of_one_key_run_one_at_a_time_and_in_order_and_the_chain_never_waits() {
    let database = database();
    let mut session = database.connect();
    let seen = Arc::new(Seen::default());
    run(
        &mut session,
        "SELECT pgq.enqueue('work', i::text, ordering_key => 'key ' || i % 4, priority => (random() * 9)::int)
           FROM generate_series(1, 400) AS i",
    );
    let begun = Instant::now();
    let workers = two(&database, &seen);
    // A hundred links of 2 ms, each with a fetch and a commit behind it; a single look by the clock is a minute.
    until_ended(&mut session, 400, Duration::from_secs(30));
    println!("four chains of 100 jobs of 2 ms: {:?}", begun.elapsed());
    end(workers, &seen);
    let keys = seen.keys.lock().unwrap();
    assert_eq!(keys.len(), 4);
    assert!(keys.values().all(|(running, ran)| running.is_none() && ran.len() == 100 && ran.is_sorted()));
    assert_eq!(workers_of(&mut session), 2);
}

#[test]
fn a_paused_entrypoint_is_left_alone_and_goes_on_when_it_is_resumed() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.pause('work')");
    let seen = Arc::new(Seen::default());
    let workers = two(&database, &seen);
    enqueue(&mut session, "work", 20);
    enqueue(&mut session, "other", 20);
    until_ended(&mut session, 20, Duration::from_secs(5));
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs WHERE status = 'queued'", &[]), 20);
    run(&mut session, "SELECT pgq.resume('work')");
    until_ended(&mut session, 40, Duration::from_secs(5));
    end(workers, &seen);
}

#[test]
fn a_deferred_job_starts_when_it_is_due() {
    let database = database();
    let mut session = database.connect();
    let seen = Arc::new(Seen::default());
    let workers = two(&database, &seen);
    run(&mut session, "SELECT pgq.enqueue('work', delay => '300 ms') FROM generate_series(1, 10)");
    until_ended(&mut session, 10, Duration::from_secs(5));
    end(workers, &seen);
    let late = "SELECT extract(epoch FROM max(picked - created))::float8 FROM pgq.job_log";
    let late = value::<f64>(&mut session, late, &[]);
    assert!((0.3..1.0).contains(&late), "{late}");
}
