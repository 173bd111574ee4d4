//! What a commit callback does to memory allocates nothing: after a commit an allocation that fails would stop the server.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what a test calls may end it with a panic")]

use pgqueuer_core::claims::{
    Carve, Channel, Claims, JobKey, Name, Outcome, QueueKey, Relation, Request, Sizing, Transaction, Wanted, Worker,
    WorkerKey,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Heap;

impl<'a> Carve<'a> for Heap {
    fn carve<T: Copy + Default>(&mut self, count: usize) -> &'a mut [T] {
        Box::leak(vec![T::default(); count].into_boxed_slice())
    }
}

const RELATION: Relation = Relation { database: 1, table: 2 };

fn request(id: i64, worker: WorkerKey, queue: Name) -> Request {
    Request {
        job: JobKey { relation: RELATION, id },
        worker,
        as_worker: Worker::new(0, 30, 0),
        attempt: 0,
        created: 100,
        priority: 0,
        due: 100,
        now: 1000,
        session: 1,
        queue,
        order: Name::of(&["fetch", "key"]),
        limit: 3,
        rate: None,
        max_in_flight: None,
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one line for each thing that is done")]
fn nothing_that_a_callback_does_allocates() {
    let sizing = Sizing { claims: 64, sessions: 8, named: 8, rates: 8, heads: 8, databases: 2 };
    let mut claims = Claims::view(sizing, &mut Heap).unwrap();
    claims.start(7);
    let queue = QueueKey { relation: RELATION, name: Name::of(&["fetch"]) };
    let named = WorkerKey::named(RELATION, &[1; 16]);
    let session = WorkerKey::of_session(RELATION, 7, 1);
    let name = [queue.name];
    let mut channels = [Channel::default(); 4];
    let before = ALLOCATIONS.load(SeqCst);
    for id in 1..50 {
        let job = JobKey { relation: RELATION, id };
        claims.is_used(RELATION);
        claims.launch(0, 1);
        claims.worker_enters(RELATION, 42, 0);
        claims.worker_serves(RELATION, 42, 0);
        claims.know_channel(&queue, b"pgq_fetch");
        claims.know_entrypoint(&queue, b"fetch");
        claims.know_entrypoint(&QueueKey { name: Name([1, id as u64]), ..queue }, b"one of many");
        let walk = claims.begin_walk(&queue, 0, 1000);
        let place = claims.wait(1, RELATION, 1, Wanted::Jobs(&name)).unwrap();
        claims.wait(2, RELATION, 2, Wanted::Ends(&[id])).unwrap();
        for end in 0..5 {
            let worker = if end % 2 == 0 { named } else { session };
            let number = claims.publish(&request(id, worker, queue.name)).unwrap();
            claims.keep(&job, number, 1000);
            claims.begin_end(&job, &worker, None, 1, Transaction::default()).unwrap();
            match end {
                0 => claims.forget_end(&job, number),
                1 => {
                    let claim = claims.end(&job, number).unwrap();
                    claims.count_end(RELATION, &claim, Outcome::Successful, 2000);
                }
                2 => claims.roll_back(&job, number, 0, 1000),
                3 => claims.lose_claim(&job, number),
                _ => claims.free(&job, number),
            }
            claims.free(&job, number);
            claims.job_ended(RELATION, id);
        }
        claims.count_enqueued(&queue, 5);
        claims.count_enqueued(&QueueKey { name: Name([1, id as u64]), ..queue }, 5);
        claims.count_ended(&queue, Outcome::Canceled, 5);
        claims.lower_all(&queue, 50);
        claims.falls_due(RELATION, 5000);
        claims.key_is_free(&queue);
        claims.wake(&queue, 10);
        claims.notify(&queue);
        claims.wake_all(RELATION);
        claims.take_wake(place, 1);
        claims.stop_waiting(0, 1);
        claims.stop_waiting(1, 2);
        claims.end_walk(&queue, &walk, walk.from, walk.from, 1000);
        claims.take_channels(RELATION, &mut channels, 2000);
        claims.detach(&named, 1000, 500);
        claims.end_some_in(RELATION, u64::MAX, 0, 64);
        claims.forget_some_in(RELATION, 0, 64);
        claims.forget_some_heads(RELATION, 0, 64);
        claims.forget_some_tallies(RELATION, 0, 64);
        claims.worker_left(RELATION, 42, false, 1000);
        claims.unlatched();
    }
    assert_eq!(ALLOCATIONS.load(SeqCst) - before, 0);
}
