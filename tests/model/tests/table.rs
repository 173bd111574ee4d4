//! The model's claim table answers as the one in `core` does: what the checker proves is said of the code.

use pgqueuer_core::claims::{
    Carve, Claims as Core, JobKey, Name, NotHeld as CoreNotHeld, Relation, Request, Sizing, Transaction,
    Worker as CoreWorker, WorkerKey,
};
use pgqueuer_model::claims::{Claims, NotHeld, Worker};
use proptest::prelude::*;

const JOBS: usize = 3;
const RELATION: Relation = Relation { database: 1, table: 2 };

/// Pieces of memory from the heap, leaked for the life of the test process.
struct Heap;

impl<'a> Carve<'a> for Heap {
    fn carve<T: Copy + Default>(&mut self, count: usize) -> &'a mut [T] {
        Box::leak(vec![T::default(); count].into_boxed_slice())
    }
}

#[derive(Debug, Clone)]
enum Step {
    Publish(usize, Worker, u8, usize),
    BeginEnd(usize, Worker, Option<u8>, usize),
    ForgetEnd(usize, u8),
    Keep(usize, u8),
    End(usize, u8),
    Leave(Worker),
}

fn step() -> impl Strategy<Value = Step> {
    let job = 0..JOBS;
    let worker = prop_oneof![(0usize..2).prop_map(Worker::Session), (0u8..2).prop_map(Worker::Named)];
    let by = (job.clone(), worker.clone(), 0u8..2, 0usize..2);
    let number = (job, 1u8..8);
    prop_oneof![
        4 => by.clone().prop_map(|(job, worker, attempt, session)| Step::Publish(job, worker, attempt, session)),
        4 => (by, any::<bool>()).prop_map(|((job, worker, attempt, session), asked)| {
            Step::BeginEnd(job, worker, asked.then_some(attempt), session)
        }),
        2 => number.clone().prop_map(|(job, number)| Step::ForgetEnd(job, number)),
        3 => number.clone().prop_map(|(job, number)| Step::Keep(job, number)),
        2 => number.prop_map(|(job, number)| Step::End(job, number)),
        1 => worker.prop_map(Step::Leave),
    ]
}

fn key(job: usize) -> JobKey {
    JobKey { relation: RELATION, id: job as i64 }
}

/// Sessions have numbers from 1 on.
fn number_of(session: usize) -> u64 {
    session as u64 + 1
}

fn key_of(worker: Worker) -> WorkerKey {
    match worker {
        Worker::Session(session) => WorkerKey::of_session(RELATION, 7, number_of(session)),
        Worker::Named(name) => WorkerKey::named(RELATION, &[name + 1; 16]),
    }
}

fn request(job: usize, worker: Worker, attempt: u8, session: usize, limit: usize, one_key: bool) -> Request {
    Request {
        job: key(job),
        worker: key_of(worker),
        as_worker: CoreWorker::new(0, 30, 0),
        attempt: i32::from(attempt),
        created: 100,
        priority: 0,
        due: 100,
        now: 1000,
        session: number_of(session),
        queue: Name::of(&["fetch"]),
        order: if one_key { Name::of(&["fetch", "k"]) } else { Name::NONE },
        limit: limit as u32,
        rate: None,
        max_in_flight: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_model_s_table_answers_as_the_code_s(
        steps in prop::collection::vec(step(), 1..60),
        limit in 1..=JOBS,
        one_key in any::<bool>(),
    ) {
        let mut model = Claims::new(JOBS, limit, one_key);
        let mut core = Core::view(Sizing { claims: 64, sessions: 4, named: 4, rates: 1, heads: 4, databases: 2 }, &mut Heap).unwrap();
        core.start(7);
        for step in steps {
            take(&mut model, &mut core, step, limit, one_key)?;
            agree(&model, &core)?;
        }
    }
}

fn take(model: &mut Claims, core: &mut Core<'_>, step: Step, limit: usize, one_key: bool) -> Result<(), TestCaseError> {
    match step {
        Step::Publish(job, worker, attempt, session) => {
            let published = core.publish(&request(job, worker, attempt, session, limit, one_key)).ok();
            prop_assert_eq!(model.publish(job, worker, attempt, session).map(u64::from), published);
        }
        Step::BeginEnd(job, worker, attempt, session) => {
            let ending = core.begin_end(
                &key(job),
                &key_of(worker),
                attempt.map(i32::from),
                number_of(session),
                Transaction::default(),
            );
            let begun = model.begin_end(job, worker, attempt, session);
            prop_assert_eq!(begun.ok().map(u64::from), ending.ok().map(|ending| ending.number));
            prop_assert_eq!(begun == Err(NotHeld::Ending), matches!(ending, Err(CoreNotHeld::Ending(_))));
        }
        Step::ForgetEnd(job, number) => {
            model.forget_end(job, number);
            core.forget_end(&key(job), number.into());
        }
        Step::Keep(job, number) => {
            model.keep(job, number);
            core.keep(&key(job), number.into(), 1);
        }
        Step::End(job, number) => {
            model.end(job, number);
            core.end(&key(job), number.into());
        }
        Step::Leave(worker) => {
            model.lose_all_of(worker, false);
            while core.end_some_of(&key_of(worker), 2) == 2 {}
        }
    }
    Ok(())
}

fn agree(model: &Claims, core: &Core<'_>) -> Result<(), TestCaseError> {
    for job in 0..JOBS {
        let (said, is) = (model.claim(job), core.claim(&key(job)));
        prop_assert_eq!(said.is_some(), is.is_some());
        let (Some(said), Some(is)) = (said, is) else { continue };
        prop_assert_eq!((u64::from(said.number), key_of(said.worker)), (is.number, is.worker));
        prop_assert_eq!(i32::from(said.attempt), is.attempt);
        prop_assert_eq!(said.opened_by.map_or(0, number_of), is.opened_by);
        prop_assert_eq!(said.ending_by.map_or(0, number_of), is.ending_by);
    }
    Ok(())
}
