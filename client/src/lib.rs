//! Producer and worker for [pgqueuer](https://github.com/pgqueuer/pgqueuer), the job queue inside PostgreSQL.
//!
//! Everything goes through the functions of the schema `pgq`; nothing here knows a table.
//!
//! - [`NewJob`], [`Producer`]  enqueue: on a client, a pool, or in your own transaction
//! - [`Completion`]            wait until jobs have ended
//! - [`Control`]               cancel, requeue, pause, configure, schedule
//! - [`Worker`], [`Handler`]   claim jobs, run them, say how they ended
//! - [`Postgres`]              the queue in a database
//! - [`Memory`]                the queue without a server, for unit tests
//! - [`testing`]               look into a queue, assert that a job was enqueued
//! - [`Backend`]               what a worker needs of a queue: both of them

#![forbid(unsafe_code)]

mod backend;
mod control;
mod error;
mod job;
#[cfg(feature = "memory")]
mod memory;
mod new_job;
mod outcome;
mod postgres;
mod producer;
mod retry;
mod telemetry;
pub mod testing;
mod worker;

pub use backend::{Backend, Claim, End, Ended, Fetch, Signal, Signals};
pub use control::{CatchUp, Control, OnFailure, QueueSize, Schedule, Settings};
pub use error::{Error, Refusal, Result};
pub use job::{Job, JobStatus, Status};
#[cfg(feature = "memory")]
pub use memory::Memory;
pub use new_job::{NewJob, OnConflict};
pub use outcome::{BoxError, Failure, Outcome};
pub use postgres::{Notifications, Postgres, Session};
pub use producer::{Completion, Producer};
pub use worker::{Context, Entrypoint, Handler, Middleware, Next, Worker, WorkerBuilder};

/// For implementations of this crate's traits.
pub use async_trait::async_trait;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadMe;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ClientReadMe;
