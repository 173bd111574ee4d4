//! The gauge of claims in hand, for a process with one worker at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod running;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use pgqueuer_e2e::ask::{enqueue, run};
use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::until::until;
use running::{Event, Running, queue, telling, until_canceled};
use std::sync::mpsc::channel;
use std::time::Duration;

/// The gauge: each look at it sets it back to 0.
struct InHand(Snapshotter, f64);

impl InHand {
    fn now(&mut self) -> f64 {
        let mut metrics = self.0.snapshot().into_vec().into_iter();
        if let Some((.., DebugValue::Gauge(value))) =
            metrics.find(|(key, ..)| key.key().name() == "pgqueuer_client_in_hand")
        {
            self.1 += value.into_inner();
        }
        self.1
    }
}

#[test]
fn claims_are_counted_and_no_worker_leaves_any_behind() {
    let recorder = DebuggingRecorder::new();
    let mut in_hand = InHand(recorder.snapshotter(), 0.0);
    recorder.install().unwrap();
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let start = || {
        let (sender, seen) = channel();
        let worker = telling(queue(&database), sender).entrypoint("long", until_canceled);
        let running = Running::start(worker.shutdown_timeout(Duration::ZERO).build().unwrap());
        (running, seen)
    };
    let ids = enqueue(&mut session, "long", 3);
    let (running, seen) = start();
    (0..3).for_each(|_| assert!(matches!(seen.recv().unwrap(), Event::Begun(_))));
    assert_eq!(in_hand.now(), 3.0);
    run(&mut session, &format!("SELECT pgq.cancel('{{{}}}')", ids[0]));
    until("it is out of hand", || (in_hand.now() == 2.0).then_some(()));
    running.stop().unwrap();
    assert_eq!(in_hand.now(), 0.0);

    // One that is dropped, and one that gets no answer any more.
    let (running, seen) = start();
    (0..2).for_each(|_| assert!(matches!(seen.recv().unwrap(), Event::Begun(_))));
    drop(running.abandon());
    until("nothing is in hand", || (in_hand.now() == 0.0).then_some(()));
    let (running, seen) = start();
    (0..2).for_each(|_| assert!(matches!(seen.recv().unwrap(), Event::Begun(_))));
    cluster.stop(Stop::Immediate);
    running.stop().unwrap();
    until("nothing is in hand", || (in_hand.now() == 0.0).then_some(()));
}
