//! Memory and database side by side: the same calls at random, the same answers, the same queue after each.
//!
//! Nothing here waits for time: what is put off is so for an hour.

mod operations;

use operations::{Operation, Queue, Seen, configure, operation};
use pgqueuer_client::testing::LiveJob;
use pgqueuer_client::{Memory, Postgres, QueueSize, Status};
use pgqueuer_e2e::cluster;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use std::time::Duration;
use tokio::runtime::Runtime;
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);

/// A tenth of what is usual: each has a database of its own.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases / 10, max_shrink_iters: 300, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn memory_answers_as_the_database_does(operations in vec(operation(&[HOUR]), 1..150)) {
        let database = cluster::database();
        Runtime::new().unwrap().block_on(async {
            let postgres = Postgres::new(&database.address()).unwrap();
            let memory = Memory::at("2030-01-01T00:00:00Z".parse().unwrap());
            compare(&memory, &postgres, &operations).await
        })?;
    }
}

async fn compare(memory: &Memory, postgres: &Postgres, operations: &[Operation]) -> Result<(), TestCaseError> {
    configure(memory, HOUR).await;
    configure(postgres, HOUR).await;
    let (mut here, mut there) = (Seen::default(), Seen::default());
    for (number, operation) in operations.iter().enumerate() {
        // The server's clock does not stand between two calls.
        memory.advance(Duration::from_millis(1));
        let ours = operation.perform(memory, &mut here, HOUR).await;
        let theirs = operation.perform(postgres, &mut there, HOUR).await;
        prop_assert_eq!(ours, theirs, "call {}: {:?}", number, operation);
        if number % 10 == 0 || number + 1 == operations.len() {
            let (ours, theirs) = (View::of(memory, &here).await, View::of(postgres, &there).await);
            prop_assert_eq!(ours, theirs, "after call {}: {:?}", number, operation);
        }
    }
    Ok(())
}

/// What can be seen of a queue, times and workers left out.
#[derive(Debug, PartialEq)]
struct View {
    jobs: Vec<(i64, String, Status, i32, i32, Option<String>, Option<String>, Option<Vec<u8>>, Value)>,
    ends: Vec<(i64, i32, Status, Option<Value>, Option<Uuid>)>,
    sizes: Vec<QueueSize>,
    statuses: Vec<(i64, Status, i32, Option<Value>, bool)>,
}

impl View {
    async fn of(queue: &impl Queue, seen: &Seen) -> Self {
        let job = |job: LiveJob| {
            let keys = (job.dedupe_key, job.ordering_key);
            let headers = Value::from(job.headers);
            (job.id, job.entrypoint, job.status, job.attempts, job.priority, keys.0, keys.1, job.payload, headers)
        };
        let ends = queue.logged_ends().await.unwrap().into_iter();
        let mut ends: Vec<_> = ends.map(|end| (end.job_id, end.attempts, end.outcome, end.error, end.worker)).collect();
        // In the order of each job: of two that ended by one call it is not said which comes first.
        ends.sort_by_key(|end| end.0);
        let statuses = queue.status(&seen.ids).await.unwrap().into_iter();
        Self {
            jobs: queue.live_jobs().await.unwrap().into_iter().map(job).collect(),
            ends,
            sizes: queue.queue_size().await.unwrap(),
            statuses: statuses
                .map(|job| (job.id, job.status, job.attempts, job.error, job.finished_at.is_some()))
                .collect(),
        }
    }
}
