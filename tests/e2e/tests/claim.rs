//! Many sessions at once: a job is handed out to one of them, and every limit holds to the job.
//!
//! What a session holds is written down here from the moment that the server has told it to the moment before it gives
//! the claim up. So whatever is written down is held in truth, and a contradiction is never a false alarm.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{claims, column, complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::crew::Crew;
use pgqueuer_e2e::until::until;
use postgres::error::SqlState;
use postgres::{Client, Error};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use uuid::Uuid;

const SEED: u64 = 20_261_122;

/// Who holds what, as the sessions themselves know it.
#[derive(Default)]
struct Held {
    by: Mutex<HashMap<i64, usize>>,
    most: AtomicUsize,
}

impl Held {
    fn take(&self, place: usize, ids: &[i64]) {
        let mut by = self.by.lock().unwrap();
        for id in ids {
            assert_eq!(by.insert(*id, place), None, "job {id} has been handed out twice, now to session {place}");
        }
        self.most.fetch_max(by.len(), SeqCst);
    }

    fn give_up(&self, ids: &[i64]) {
        let mut by = self.by.lock().unwrap();
        ids.iter().for_each(|id| assert!(by.remove(id).is_some()));
    }
}

fn configure(database: &Database, settings: &str) {
    run(&mut database.connect(), &format!("SELECT pgq.configure('fetch', {settings})"));
}

fn release(session: &mut Client, ids: &[i64]) -> Vec<i64> {
    value(session, "SELECT pgq.release($1)", &[&ids])
}

fn retry(session: &mut Client, ids: &[i64]) -> usize {
    column::<bool>(session, "SELECT pgq.retry(id) FROM unnest($1::bigint[]) AS id", &[&ids])
        .iter()
        .filter(|b| **b)
        .count()
}

/// What a session does with a batch, at random. Returns how many jobs it completed and how many it retried.
fn work_a_batch(session: &mut Client, place: usize, held: &Held, random: &mut StdRng) -> (usize, usize) {
    let most = random.random_range(1..=20);
    let way = random.random_range(0..7);
    if way < 4 {
        run(session, "BEGIN");
    }
    let mut ids = dequeue(session, "fetch", most);
    held.take(place, &ids);
    let (mut completed, mut retried) = (0, 0);
    match way {
        // The transaction claims and ends, and has done neither in the end.
        0 => assert_eq!(complete(session, &ids).len(), ids.len()),
        // The ends of a savepoint are undone: the jobs are still held and can be ended again.
        1 => {
            run(session, "SAVEPOINT s");
            assert_eq!(complete(session, &ids).len(), ids.len());
            run(session, "ROLLBACK TO s");
            completed = complete(session, &ids).len();
        }
        // The claims of a savepoint are given back.
        2 => {
            run(session, "SAVEPOINT s");
            let more = dequeue(session, "fetch", most);
            held.take(place, &more);
            held.give_up(&more);
            run(session, "ROLLBACK TO s");
            completed = complete(session, &ids).len();
        }
        3 => retried = retry(session, &ids),
        4 => {
            let (some, rest) = ids.split_at(ids.len() / 2);
            held.give_up(some);
            assert_eq!(release(session, some), some);
            ids = rest.to_vec();
        }
        _ => {}
    }
    held.give_up(&ids);
    match way {
        0 => run(session, "ROLLBACK"),
        1..=3 => run(session, "COMMIT"),
        _ => completed = complete(session, &ids).len(),
    }
    assert!(way == 0 || completed + retried == ids.len(), "session {place} lost a claim on its way {way}");
    (completed, retried)
}

#[test]
fn each_of_many_jobs_is_handed_out_to_one_session_at_a_time_and_completed_once() {
    const JOBS: i64 = 5000;
    let database = database();
    let mut producer = database.connect();
    enqueue(&mut producer, "fetch", JOBS as i32);
    let (held, completed, retried) = (Held::default(), AtomicI64::new(0), AtomicI64::new(0));
    Crew::of(&database, 6).at_once(|place, session| {
        let mut random = StdRng::seed_from_u64(SEED + place as u64);
        while completed.load(SeqCst) < JOBS {
            until("there is something to do or nothing left", || {
                let (done, again) = work_a_batch(session, place, &held, &mut random);
                retried.fetch_add(again as i64, SeqCst);
                let all = completed.fetch_add(done as i64, SeqCst) + done as i64;
                (done > 0 || all >= JOBS).then_some(())
            });
        }
    });
    let ended =
        "SELECT ARRAY[count(*), count(DISTINCT job_id), sum(attempts)] FROM pgq.job_log WHERE outcome = 'successful'";
    assert_eq!(value::<Vec<i64>>(&mut producer, ended, &[]), [JOBS, JOBS, retried.load(SeqCst)]);
    let others = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'retried'";
    assert_eq!(value::<i64>(&mut producer, others, &[]), retried.load(SeqCst));
    let left = "SELECT (SELECT count(*) FROM pgq.jobs) + (SELECT count(*) FROM pgq.claims())";
    assert_eq!(value::<i64>(&mut producer, left, &[]), 0);
}

/// Claims and completes a batch in one transaction. The error leaves the transaction open.
fn try_a_batch(session: &mut Client, place: usize, held: &Held) -> Result<usize, Error> {
    session.batch_execute("BEGIN")?;
    let rows = session.query("SELECT id FROM pgq.dequeue('{fetch}', 9)", &[])?;
    let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    held.take(place, &ids);
    session.query_one("SELECT 1", &[])?;
    // An error of what follows gives the claims up before this side hears of it.
    held.give_up(&ids);
    let completed = session.query_one("SELECT cardinality(pgq.complete_many($1))", &[&ids])?;
    assert_eq!(completed.get::<_, i32>(0) as usize, ids.len());
    session.batch_execute("COMMIT").map(|()| ids.len())
}

#[test]
fn each_job_is_handed_out_to_one_session_at_a_time_under_every_isolation_level() {
    let database = database();
    enqueue(&mut database.connect(), "fetch", 1500);
    let (held, completed) = (Held::default(), AtomicUsize::new(0));
    Crew::of(&database, 6).at_once(|place, session| {
        let level = ["read committed", "repeatable read", "serializable"][place % 3];
        run(session, &format!("SET default_transaction_isolation = '{level}'"));
        while completed.load(SeqCst) < 1500 {
            until("there is something to do or nothing left", || {
                let done = try_a_batch(session, place, &held).unwrap_or_else(|error| {
                    assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE), "{level}: {error:?}");
                    assert_ne!(level, "read committed");
                    run(session, "ROLLBACK");
                    0
                });
                let all = completed.fetch_add(done, SeqCst) + done;
                (done > 0 || all >= 1500).then_some(())
            });
        }
    });
    let log = "SELECT ARRAY[count(*), count(DISTINCT job_id)] FROM pgq.job_log WHERE outcome = 'successful'";
    assert_eq!(value::<Vec<i64>>(&mut database.connect(), log, &[]), [1500, 1500]);
}

/// Jobs whose claims are rolled back again and again do not rest, in sessions that begin from here on.
fn hand_out_at_once(database: &Database) {
    let set =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET pgqueuer.rollback_delay = 0', current_database()); END $$";
    run(&mut database.connect(), set);
}

#[test]
fn a_dequeue_that_is_canceled_leaves_no_claim_behind() {
    const JOBS: i32 = 10_000;
    let database = database();
    hand_out_at_once(&database);
    let mut session = database.connect();
    enqueue(&mut session, "fetch", JOBS);
    let mut random = StdRng::seed_from_u64(SEED);
    let (mut canceled, mut claimed) = (0, 0);
    while canceled < 20 || claimed < 5 {
        // Now and then all the time that it takes; else it is stopped somewhere on the way.
        let timeout = if random.random_bool(0.2) { 0 } else { random.random_range(1..30) };
        run(&mut session, &format!("SET statement_timeout = {timeout}"));
        match session.query("SELECT id FROM pgq.dequeue('{fetch}', $1)", &[&JOBS]) {
            Ok(rows) => {
                assert_eq!(rows.len(), JOBS as usize, "a canceled call has kept something");
                let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
                run(&mut session, "SET statement_timeout = 0");
                assert_eq!(release(&mut session, &ids).len(), ids.len());
                claimed += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED), "{error:?}");
                canceled += 1;
            }
        }
    }
    run(&mut session, "SET statement_timeout = 0");
    assert_eq!(claims(&mut session), 0);
}

/// One round: everybody dequeues at once. Returns what each got.
fn round(crew: &mut Crew, number: usize) -> Vec<Vec<i64>> {
    crew.at_once(|place, session| dequeue(session, "fetch", 1 + ((number + place) % 3) as i32))
}

/// Everybody gives up what it holds, in one way or another, and the queue is filled up again.
fn give_up(crew: &mut Crew, taken: &[Vec<i64>], number: usize) {
    crew.at_once(|place, session| {
        let ids = &taken[place];
        if (number + place).is_multiple_of(2) {
            assert_eq!(&release(session, ids), ids);
        } else {
            assert_eq!(&complete(session, ids), ids);
            enqueue(session, "fetch", ids.len() as i32);
        }
    });
}

fn distinct(taken: &[Vec<i64>]) -> usize {
    let all: Vec<i64> = taken.concat();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "a job was handed out twice");
    all.len()
}

fn rounds_reach_the_limit_exactly(limit: usize) {
    let database = database();
    configure(&database, &format!("concurrency_limit => {limit}"));
    enqueue(&mut database.connect(), "fetch", 30);
    let mut crew = Crew::of(&database, 8);
    for number in 0..300 {
        let taken = round(&mut crew, number);
        assert_eq!(distinct(&taken), limit, "round {number}");
        give_up(&mut crew, &taken, number);
    }
}

#[test]
fn eight_sessions_at_once_claim_exactly_one_job_under_a_limit_of_one() {
    rounds_reach_the_limit_exactly(1);
}

#[test]
fn eight_sessions_at_once_claim_exactly_two_jobs_under_a_limit_of_two() {
    rounds_reach_the_limit_exactly(2);
}

#[test]
fn eight_sessions_at_once_claim_exactly_three_jobs_under_a_limit_of_three() {
    rounds_reach_the_limit_exactly(3);
}

#[test]
fn a_better_job_that_arrives_in_the_middle_does_not_lift_a_limit() {
    let database = database();
    configure(&database, "concurrency_limit => 2");
    enqueue(&mut database.connect(), "fetch", 30);
    let mut crew = Crew::of(&database, 8);
    for number in 0..300 {
        let taken = crew.at_once(|place, session| {
            if place == 0 {
                value::<i64>(session, "SELECT pgq.enqueue('fetch', priority => $1)", &[&(number as i32)]);
                return vec![];
            }
            dequeue(session, "fetch", 1 + (place % 3) as i32)
        });
        assert_eq!(distinct(&taken), 2, "round {number}");
        give_up(&mut crew, &taken, number);
    }
}

#[test]
fn claims_of_open_transactions_count_under_a_limit_until_they_roll_back() {
    let database = database();
    configure(&database, "concurrency_limit => 3");
    hand_out_at_once(&database);
    let mut opener = database.connect();
    enqueue(&mut opener, "fetch", 30);
    let mut crew = Crew::of(&database, 8);
    for number in 0..300 {
        run(&mut opener, "BEGIN");
        let open = dequeue(&mut opener, "fetch", 1 + (number % 3) as i32);
        let taken = crew.at_once(|place, session| {
            if place.is_multiple_of(2) {
                run(session, "BEGIN");
            }
            dequeue(session, "fetch", 1 + (place % 2) as i32)
        });
        assert_eq!(distinct(&taken) + open.len(), 3, "round {number}");
        run(&mut opener, "ROLLBACK");
        crew.at_once(|place, session| {
            let committed = (number + place / 2).is_multiple_of(2);
            if place.is_multiple_of(2) {
                run(session, if committed { "COMMIT" } else { "ROLLBACK" });
            }
            if committed || !place.is_multiple_of(2) {
                assert_eq!(release(session, &taken[place]), taken[place]);
            }
        });
    }
    assert_eq!(claims(&mut opener), 0);
}

#[test]
fn a_limit_holds_while_claims_come_and_go() {
    let database = database();
    configure(&database, "concurrency_limit => 3");
    enqueue(&mut database.connect(), "fetch", 800);
    let (held, completed) = (Held::default(), AtomicUsize::new(0));
    Crew::of(&database, 6).at_once(|place, session| {
        let mut random = StdRng::seed_from_u64(SEED + place as u64);
        while completed.load(SeqCst) < 800 {
            until("there is something to do or nothing left", || {
                let (done, _) = work_a_batch(session, place, &held, &mut random);
                let all = completed.fetch_add(done, SeqCst) + done;
                (done > 0 || all >= 800).then_some(())
            });
        }
    });
    assert!((1..=3).contains(&held.most.load(SeqCst)), "{} jobs were held at one time", held.most.load(SeqCst));
}

#[test]
fn a_rate_limit_is_spent_once_by_all_sessions_together() {
    let database = database();
    configure(&database, "rate_limit => 25, rate_period => '1 hour'");
    enqueue(&mut database.connect(), "fetch", 100);
    let mut crew = Crew::of(&database, 8);
    // Claims that are rolled back were never made.
    crew.at_once(|_, session| {
        run(session, "BEGIN");
        dequeue(session, "fetch", 5);
        run(session, "ROLLBACK");
    });
    let mut all = 0;
    for _ in 0..4 {
        all += distinct(&crew.at_once(|_, session| {
            let ids = dequeue(session, "fetch", 2);
            complete(session, &ids)
        }));
    }
    assert_eq!(all, 25);
}

#[test]
fn a_rate_limit_holds_in_every_window() {
    const LIMIT: usize = 20;
    let database = database();
    configure(&database, "rate_limit => 20, rate_period => '100 ms'");
    enqueue(&mut database.connect(), "fetch", 300);
    let completed = AtomicUsize::new(0);
    Crew::of(&database, 4).at_once(|place, session| {
        let mut random = StdRng::seed_from_u64(SEED + place as u64);
        while completed.load(SeqCst) < 300 {
            until("the next window has room or nothing is left", || {
                let ids = dequeue(session, "fetch", random.random_range(1..=7));
                let done = complete(session, &ids).len();
                let all = completed.fetch_add(done, SeqCst) + done;
                (done > 0 || all >= 300).then_some(())
            });
        }
    });
    let times = "SELECT (extract(epoch FROM picked) * 1000000)::bigint FROM pgq.job_log ORDER BY 1";
    let picked: Vec<i64> = column(&mut database.connect(), times, &[]);
    assert_eq!(picked.len(), 300);
    for window in picked.windows(LIMIT + 1) {
        assert!(window[LIMIT] - window[0] >= 100_000, "{} claims within 100 ms: {window:?}", LIMIT + 1);
    }
}

/// The jobs of each key that have not ended, in the order in which they must run.
struct Order {
    left: Mutex<BTreeMap<String, VecDeque<i64>>>,
    running: Mutex<BTreeMap<String, i64>>,
}

impl Order {
    fn take(&self, jobs: &[(i64, String)]) {
        for (id, key) in jobs {
            let before = self.running.lock().unwrap().insert(key.clone(), *id);
            assert_eq!(before, None, "job {id} of key {key} runs beside another");
            let first = self.left.lock().unwrap()[key].front().copied();
            assert_eq!(first, Some(*id), "key {key} is out of order");
        }
    }

    fn give_up(&self, jobs: &[(i64, String)], ended: bool) {
        for (_, key) in jobs {
            if ended {
                self.left.lock().unwrap().get_mut(key).unwrap().pop_front();
            }
            self.running.lock().unwrap().remove(key);
        }
    }

    fn is_done(&self) -> bool {
        self.left.lock().unwrap().values().all(VecDeque::is_empty)
    }
}

fn enqueue_with_keys(database: &Database, keys: usize, jobs: usize) -> Order {
    let names: Vec<String> = (0..jobs).map(|job| format!("key {}", job % keys)).collect();
    let priorities: Vec<i32> = (0..jobs).map(|job| (job % 7) as i32).collect();
    let sql = "SELECT pgq.enqueue_many_text('{fetch}', $1, priorities => $2, ordering_keys => $1)";
    let ids: Vec<i64> = value(&mut database.connect(), sql, &[&names, &priorities]);
    let mut left: BTreeMap<String, VecDeque<i64>> = BTreeMap::new();
    for (id, key) in ids.into_iter().zip(names) {
        left.entry(key).or_default().push_back(id);
    }
    Order { left: Mutex::new(left), running: Mutex::default() }
}

/// Claims a batch and ends it in one of several ways. Returns whether there was anything to claim.
fn work_in_order(session: &mut Client, order: &Order, random: &mut StdRng) -> bool {
    let way = random.random_range(0..6);
    if way == 0 {
        run(session, "BEGIN");
    }
    let claimed = "SELECT id, ordering_key FROM pgq.dequeue('{fetch}', $1)";
    let rows = session.query(claimed, &[&random.random_range(1..=12)]).unwrap();
    let jobs: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let ids: Vec<i64> = jobs.iter().map(|(id, _)| *id).collect();
    order.take(&jobs);
    order.give_up(&jobs, way > 2);
    match way {
        0 => run(session, "ROLLBACK"),
        1 => assert_eq!(release(session, &ids), ids),
        2 => assert_eq!(retry(session, &ids), ids.len()),
        _ => assert_eq!(complete(session, &ids), ids),
    }
    !ids.is_empty()
}

#[test]
fn jobs_of_one_ordering_key_run_one_at_a_time_in_the_order_of_their_ids() {
    let database = database();
    let order = enqueue_with_keys(&database, 40, 1200);
    Crew::of(&database, 8).at_once(|place, session| {
        let mut random = StdRng::seed_from_u64(SEED + place as u64);
        while !order.is_done() {
            until("a key is free or all is done", || {
                (work_in_order(session, &order, &mut random) || order.is_done()).then_some(())
            });
        }
    });
    let log = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful'";
    assert_eq!(value::<i64>(&mut database.connect(), log, &[]), 1200);
}

#[test]
fn a_named_worker_in_several_sessions_never_holds_more_than_max_in_flight() {
    let (database, worker) = (database(), Uuid::from_u128(7));
    enqueue(&mut database.connect(), "fetch", 40);
    let mut crew = Crew::of(&database, 6);
    for number in 0..200 {
        let taken = crew.at_once(|place, session| {
            let sql = "SELECT id FROM pgq.dequeue('{fetch}', $1, $2, max_in_flight => 4)";
            column::<i64>(session, sql, &[&(1 + ((number + place) % 5) as i32), &worker])
        });
        assert_eq!(distinct(&taken), 4, "round {number}");
        // Another worker is not held back by this one.
        let other = "SELECT id FROM pgq.dequeue('{fetch}', 5, max_in_flight => 5)";
        let others: Vec<i64> = column(&mut crew.sessions[0], other, &[]);
        assert_eq!(others.len(), 5, "round {number}");
        assert_eq!(release(&mut crew.sessions[0], &others), others);
        let given_back = "SELECT pgq.release($1, $2)";
        assert_eq!(value::<Vec<i64>>(&mut crew.sessions[1], given_back, &[&taken.concat(), &worker]).len(), 4);
    }
}
