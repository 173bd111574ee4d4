//! A producer: it enqueues in every way there is, and takes back some of it.

use crate::run::{ENTRYPOINTS, Entrypoint, Run};
use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::history::{Enqueue, Fate, History, Moment};
use postgres::Client;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// How many jobs consumers may be behind a producer.
const BEHIND: usize = 300;

/// Jobs that were enqueued by one call.
struct Batch {
    entrypoint: &'static Entrypoint,
    ids: Vec<i64>,
    keys: Vec<Option<String>>,
}

pub struct Producer<'a> {
    run: &'a Run<'a>,
    session: Client,
    random: StdRng,
    seen: History,
}

impl<'a> Producer<'a> {
    pub fn new(run: &'a Run<'a>, place: usize) -> Self {
        let random = StdRng::seed_from_u64(run.seed + 1000 + place as u64);
        Self { run, session: run.session(), random, seen: History::default() }
    }

    /// Enqueues so many jobs for good, and a few more that come to nothing.
    pub fn work(mut self, jobs: usize) -> History {
        let mut done = 0;
        while done < jobs && !self.run.is_over() {
            let most = (jobs - done).min(20);
            done += match self.random.random_range(0..10) {
                0..5 => self.enqueue_some(most),
                5..7 => self.in_a_transaction(most, "COMMIT", Fate::Yes),
                7 => self.in_a_transaction(most, "ROLLBACK", Fate::No),
                _ => self.with_a_savepoint(most),
            };
            self.wait_for_consumers();
        }
        self.seen
    }

    /// Consumers find the queue short at times, and must wait and be woken; and it never grows without bound.
    fn wait_for_consumers(&mut self) {
        // Before a run with crashes there is nobody to wait for.
        if self.run.crashing {
            return;
        }
        let before = if self.random.random_bool(0.3) { 1 } else { BEHIND };
        let place = self.seen.enqueues.len().checked_sub(before);
        let job = place.map(|place| &self.seen.enqueues[place]).filter(|enqueue| enqueue.fate == Fate::Yes);
        if let Some(job) = job.map(|enqueue| enqueue.job) {
            let timeout = if before == 1 { "20 ms" } else { "1 s" };
            let sql = format!("CALL pgq.wait_for(ARRAY[$1::bigint], '{timeout}')");
            value::<bool>(&mut self.session, &sql, &[&job]);
        }
    }

    fn enqueue_some(&mut self, most: usize) -> usize {
        let batch = self.enqueue(most);
        self.note(batch, Fate::Yes)
    }

    fn in_a_transaction(&mut self, most: usize, end: &str, fate: Fate) -> usize {
        run(&mut self.session, "BEGIN");
        let one = self.enqueue(most / 2 + 1);
        let other = self.enqueue((most / 2).max(1));
        run(&mut self.session, end);
        self.note(one, fate) + self.note(other, fate)
    }

    fn with_a_savepoint(&mut self, most: usize) -> usize {
        run(&mut self.session, "BEGIN");
        let kept = self.enqueue(most);
        run(&mut self.session, "SAVEPOINT s");
        let undone = self.enqueue(most);
        run(&mut self.session, "ROLLBACK TO s; COMMIT");
        self.note(undone, Fate::No) + self.note(kept, Fate::Yes)
    }

    /// Writes down what was enqueued. Returns how much of it is there.
    fn note(&mut self, batch: Batch, fate: Fate) -> usize {
        let (answered, entrypoint): (Moment, _) = (self.run.now(), batch.entrypoint.name);
        let count = batch.ids.len();
        let jobs = batch.ids.into_iter().zip(batch.keys);
        self.seen.enqueues.extend(jobs.map(|(job, key)| Enqueue { job, entrypoint, key, answered, fate }));
        if fate == Fate::Yes { count } else { 0 }
    }

    /// Calls one of the functions, or inserts.
    fn enqueue(&mut self, most: usize) -> Batch {
        let entrypoint = ENTRYPOINTS.choose(&mut self.random).unwrap();
        let one = self.random.random_bool(0.3);
        let count = if one { 1 } else { self.random.random_range(1..=most) };
        let random = &mut self.random;
        let mut key = || (entrypoint.keys > 0).then(|| format!("key {}", random.random_range(0..entrypoint.keys)));
        let keys: Vec<Option<String>> = (0..count).map(|_| key()).collect();
        let priorities: Vec<i32> = (0..count).map(|_| self.random.random_range(0..3)).collect();
        let delay: f64 = if self.random.random_bool(0.8) { 0.0 } else { self.random.random_range(0.0..0.2) };
        let (name, session) = (entrypoint.name, &mut self.session);
        let ids = if one {
            let sql = "SELECT pgq.enqueue($1, priority => $2, delay => make_interval(secs => $3), ordering_key => $4)";
            vec![value(session, sql, &[&name, &priorities[0], &delay, &keys[0]])]
        } else if self.random.random_bool(0.5) {
            let sql = "SELECT pgq.enqueue_many_text(ARRAY[$1::text], array_fill('x'::text, ARRAY[cardinality($2::int[])]),
                       priorities => $2, execute_after => array_fill(now() + make_interval(secs => $3), ARRAY[cardinality($2)]),
                       ordering_keys => $4)";
            value(session, sql, &[&name, &priorities, &delay, &keys])
        } else {
            let sql = "INSERT INTO pgq.jobs (entrypoint, priority, execute_after, ordering_key)
                       SELECT $1, p, now() + make_interval(secs => $3), k FROM unnest($2::int[], $4::text[]) AS j(p, k)
                       RETURNING id";
            column(session, sql, &[&name, &priorities, &delay, &keys])
        };
        assert_eq!(ids.len(), count, "each job has an id");
        Batch { entrypoint, ids, keys }
    }
}
