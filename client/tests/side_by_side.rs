//! Memory and database side by side: the same calls at random, the same answers, the same queue after each.
//!
//! Nothing here waits for time: what is put off is so for an hour.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

mod operations;

use chrono::{DateTime, Utc};
use operations::{Operation, Queue, Seen, configure, operation};
use pgqueuer_client::testing::LiveJob;
use pgqueuer_client::{Memory, Postgres, QueueSize};
use pgqueuer_e2e::cluster::{self, Database};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::runtime::Runtime;

const HOUR: Duration = Duration::from_secs(3600);

/// Few: each makes the extension anew. `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 25, max_shrink_iters: 300, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn memory_answers_as_the_database_does(operations in vec(operation(&[HOUR]), 1..150)) {
        static DATABASE: LazyLock<Database> = LazyLock::new(cluster::database);
        let address = DATABASE.address();
        Runtime::new().unwrap().block_on(async {
            let postgres = Postgres::new(&address).unwrap();
            let anew = "DROP EXTENSION pgqueuer; CREATE EXTENSION pgqueuer";
            postgres.pool().get().await.unwrap().batch_execute(anew).await.unwrap();
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

/// What can be seen of a queue, in words; times are left out.
#[derive(Debug, PartialEq)]
struct View {
    jobs: Vec<String>,
    ends: Vec<String>,
    statuses: Vec<String>,
    sizes: Vec<QueueSize>,
}

impl View {
    async fn of(queue: &impl Queue, seen: &Seen) -> Self {
        let mut ends = queue.logged_ends().await.unwrap();
        // In the order of each job: of two that ended by one call it is not said which comes first.
        ends.sort_by_key(|end| end.job_id);
        let statuses = queue.status(&seen.ids).await.unwrap();
        Self {
            jobs: queue.live_jobs().await.unwrap().into_iter().map(in_words).collect(),
            ends: ends
                .into_iter()
                .map(|end| {
                    format!("{} {} {:?} {:?} {:?}", end.job_id, end.attempts, end.outcome, end.error, end.worker)
                })
                .collect(),
            statuses: statuses
                .into_iter()
                .map(|job| {
                    format!(
                        "{} {:?} {} {:?} {}",
                        job.id,
                        job.status,
                        job.attempts,
                        job.error,
                        job.finished_at.is_some()
                    )
                })
                .collect(),
            sizes: queue.queue_size().await.unwrap(),
        }
    }
}

fn in_words(mut job: LiveJob) -> String {
    // One time is as good as another; that it was claimed is seen.
    let time = DateTime::<Utc>::MIN_UTC;
    (job.created, job.execute_after, job.picked) = (time, time, job.picked.map(|_| time));
    format!("{job:?}")
}
