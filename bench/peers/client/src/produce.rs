//! Enqueueing, timed.

use crate::Outcome;
use crate::protocol::{now, payload, say, wait_for_go};
use futures_util::future::try_join_all;
use pgqueuer_client::{NewJob, Postgres, Producer};
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, Instant};

#[derive(Deserialize)]
pub struct Singles {
    dsn: String,
    conns: usize,
    seconds: f64,
}

#[derive(Deserialize)]
pub struct Batches {
    dsn: String,
    total: u64,
    size: u64,
}

#[derive(Deserialize)]
pub struct Paced {
    dsn: String,
    n: u64,
    rate: f64,
}

fn job(sequence: u64) -> NewJob {
    NewJob::new("bench").payload(payload(sequence))
}

/// One job after the other, from each of some tasks that share a pool of as many connections.
pub async fn singles(options: Singles) -> Outcome {
    let queue = Postgres::new(&options.dsn)?.pool_size(options.conns);
    try_join_all((0..options.conns).map(|_| queue.enqueue(job(0)))).await?;
    wait_for_go().await?;
    let (begun, length) = (Instant::now(), Duration::from_secs_f64(options.seconds));
    let tasks = (0..options.conns).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut jobs = 0;
            while begun.elapsed() < length {
                queue.enqueue(job(jobs)).await?;
                jobs += 1;
            }
            Ok::<_, pgqueuer_client::Error>(jobs)
        })
    });
    let jobs = try_join_all(tasks).await?.into_iter().sum::<Result<u64, _>>()?;
    say(&json!({ "e": "result", "jobs": jobs, "seconds": begun.elapsed().as_secs_f64() }))
}

/// A call for each batch, one after the other.
pub async fn batches(options: Batches) -> Outcome {
    let queue = Postgres::new(&options.dsn)?;
    wait_for_go().await?;
    let begun = Instant::now();
    for first in (0..options.total).step_by(usize::try_from(options.size)?) {
        let last = options.total.min(first + options.size);
        queue.enqueue_many((first..last).map(job).collect()).await?;
    }
    say(&json!({ "e": "result", "jobs": options.total, "seconds": begun.elapsed().as_secs_f64() }))
}

/// One job after the other, so many a second. Tells when each call began, and when its commit was known.
pub async fn paced(options: Paced) -> Outcome {
    let queue = Postgres::new(&options.dsn)?;
    wait_for_go().await?;
    let mut rows = vec![];
    let mut next = now();
    for sequence in 0..options.n {
        tokio::time::sleep(Duration::from_secs_f64((next - now()).max(0.0))).await;
        let called = now();
        queue.enqueue(job(sequence)).await?;
        rows.push((sequence, called, now()));
        // Uneven, so that no poll falls in step with the arrivals.
        let share = f64::from(u32::try_from(sequence * 7919 % 1000)?) / 1000.0;
        next += (0.5 + share) / options.rate;
    }
    say(&json!({ "e": "result", "rows": rows }))
}
