//! [`Control`] over SQL.

use super::produce::{object, status_of, time};
use super::session::{Parameter, Session, column, ids, only};
use super::statement::{self, Statement};
use crate::control::{CatchUp, Control, OnFailure, QueueSize, Schedule, Settings};
use crate::error::Result;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio_postgres::types::Type;

#[async_trait]
impl<S: Session> Control for S {
    async fn cancel(&self, ids: &[i64]) -> Result<Vec<i64>> {
        of_jobs(self, &statement::CANCEL, ids).await
    }

    async fn delete(&self, ids: &[i64]) -> Result<Vec<i64>> {
        of_jobs(self, &statement::DELETE, ids).await
    }

    async fn clear(&self, entrypoints: Option<&[String]>) -> Result<i64> {
        only(&self.rows(&statement::CLEAR, &[(&entrypoints, Type::TEXT_ARRAY)]).await?)
    }

    async fn requeue(&self, ids: &[i64]) -> Result<Vec<i64>> {
        of_jobs(self, &statement::REQUEUE, ids).await
    }

    async fn reschedule(&self, jobs: &[i64], execute_after: DateTime<Utc>, priority: Option<i32>) -> Result<Vec<i64>> {
        let after = time(execute_after);
        let parameters: [Parameter; 3] =
            [(&jobs, Type::INT8_ARRAY), (&after, Type::TIMESTAMPTZ), (&priority, Type::INT4)];
        ids(&self.rows(&statement::RESCHEDULE, &parameters).await?)
    }

    async fn pause(&self, entrypoint: &str) -> Result<bool> {
        by_name(self, &statement::PAUSE, entrypoint).await
    }

    async fn resume(&self, entrypoint: &str) -> Result<bool> {
        by_name(self, &statement::RESUME, entrypoint).await
    }

    async fn configure(&self, entrypoint: &str, settings: Settings) -> Result<()> {
        let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64());
        let parameters: [Parameter; 10] = [
            (&entrypoint, Type::TEXT),
            (&settings.concurrency_limit, Type::INT4),
            (&settings.max_attempts, Type::INT4),
            (&seconds(settings.backoff_initial), Type::FLOAT8),
            (&seconds(settings.backoff_max), Type::FLOAT8),
            (&settings.backoff_multiplier, Type::FLOAT8),
            (&settings.on_failure.map(OnFailure::word), Type::TEXT),
            (&settings.max_releases, Type::INT4),
            (&settings.rate_limit, Type::INT4),
            (&seconds(settings.rate_period), Type::FLOAT8),
        ];
        self.rows(&statement::CONFIGURE, &parameters).await?;
        Ok(())
    }

    async fn schedule(&self, schedule: Schedule) -> Result<i64> {
        let parameters: [Parameter; 10] = [
            (&schedule.name, Type::TEXT),
            (&schedule.cron, Type::TEXT),
            (&schedule.entrypoint, Type::TEXT),
            (&schedule.timezone, Type::TEXT),
            (&schedule.priority, Type::INT4),
            (&object(&schedule.headers), Type::JSONB),
            (&CatchUp::word(schedule.catch_up), Type::TEXT),
            (&schedule.overlap, Type::BOOL),
            (&schedule.ordering_key, Type::TEXT),
            (&schedule.payload, Type::BYTEA),
        ];
        only(&self.rows(&statement::SCHEDULE, &parameters).await?)
    }

    async fn unschedule(&self, name: &str) -> Result<bool> {
        by_name(self, &statement::UNSCHEDULE, name).await
    }

    async fn pause_schedule(&self, name: &str) -> Result<bool> {
        by_name(self, &statement::PAUSE_SCHEDULE, name).await
    }

    async fn resume_schedule(&self, name: &str) -> Result<bool> {
        by_name(self, &statement::RESUME_SCHEDULE, name).await
    }

    async fn queue_size(&self) -> Result<Vec<QueueSize>> {
        let size = |row: &tokio_postgres::Row| {
            let status = status_of(column(row, 2)?)?;
            Ok(QueueSize { entrypoint: column(row, 0)?, priority: column(row, 1)?, status, count: column(row, 3)? })
        };
        self.rows(&statement::QUEUE_SIZE, &[]).await?.iter().map(size).collect()
    }
}

async fn of_jobs(session: &impl Session, statement: &Statement, jobs: &[i64]) -> Result<Vec<i64>> {
    ids(&session.rows(statement, &[(&jobs, Type::INT8_ARRAY)]).await?)
}

async fn by_name(session: &impl Session, statement: &Statement, name: &str) -> Result<bool> {
    only(&session.rows(statement, &[(&name, Type::TEXT)]).await?)
}
