//! The tools that change something. They are there only with `--allow-changes`.

use super::Desk;
use super::asked::{Entrypoint, Jobs, Schedule};
use super::failure::Failure;
use super::told::{Changed, Switched};
use crate::query::Parameter;
use crate::sql;
use pgqueuer_client::Control;
use rmcp::Json;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use std::collections::BTreeSet;
use tokio_postgres::types::Type;

/// So many jobs at one time.
const MOST: usize = 1000;

#[tool_router(router = changing, vis = "pub(super)")]
impl Desk {
    /// Queues failed jobs again, as if they had never been tried: whatever they do, they do again.
    #[tool(annotations(
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn requeue(&self, Parameters(Jobs { ids }): Parameters<Jobs>) -> Result<Json<Changed>, Failure> {
        let changed = self.looks.queue.requeue(&self.ours(&ids).await?).await?;
        Ok(changes(ids, changed))
    }

    /// Ends jobs for good, whatever they are: queued and failed ones go, and a worker that runs one is told to stop.
    #[tool(annotations(
        read_only_hint = false,
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn cancel(&self, Parameters(Jobs { ids }): Parameters<Jobs>) -> Result<Json<Changed>, Failure> {
        let changed = self.looks.queue.cancel(&self.ours(&ids).await?).await?;
        Ok(changes(ids, changed))
    }

    /// Stops handing out jobs of an entrypoint; those that workers hold go on. resume undoes it.
    #[tool(annotations(
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn pause(
        &self,
        Parameters(Entrypoint { entrypoint }): Parameters<Entrypoint>,
    ) -> Result<Json<Switched>, Failure> {
        let changed = self.looks.queue.pause(&self.full(&entrypoint)?).await?;
        Ok(Json(Switched { changed }))
    }

    /// Hands out jobs of a paused entrypoint again.
    #[tool(annotations(
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn resume(
        &self,
        Parameters(Entrypoint { entrypoint }): Parameters<Entrypoint>,
    ) -> Result<Json<Switched>, Failure> {
        let changed = self.looks.queue.resume(&self.full(&entrypoint)?).await?;
        Ok(Json(Switched { changed }))
    }

    /// Stops a schedule: it enqueues no jobs until resume_schedule.
    #[tool(annotations(
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn pause_schedule(
        &self,
        Parameters(Schedule { name }): Parameters<Schedule>,
    ) -> Result<Json<Switched>, Failure> {
        let changed = self.looks.queue.pause_schedule(&self.full(&name)?).await?;
        Ok(Json(Switched { changed }))
    }

    /// Lets a paused schedule go on.
    #[tool(annotations(
        read_only_hint = false,
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn resume_schedule(
        &self,
        Parameters(Schedule { name }): Parameters<Schedule>,
    ) -> Result<Json<Switched>, Failure> {
        let changed = self.looks.queue.resume_schedule(&self.full(&name)?).await?;
        Ok(Json(Switched { changed }))
    }
}

impl Desk {
    /// Those of these jobs that this application may touch.
    async fn ours(&self, ids: &[i64]) -> Result<Vec<i64>, Failure> {
        if ids.is_empty() || ids.len() > MOST {
            return Err(Failure::new(format!("{} ids are not from 1 to {MOST}.", ids.len())));
        }
        let parameters: [Parameter; 2] = [(&ids, Type::INT8_ARRAY), (&self.prefix, Type::TEXT)];
        let rows = self.looks.rows(sql!("mcp_ours"), &parameters).await?;
        Ok(rows.iter().filter_map(|row| row.get("id")?.as_i64()).collect())
    }

    /// A name in the database.
    fn full(&self, name: &str) -> Result<String, Failure> {
        // The prefix alone is somebody's, but not what was meant.
        if name.is_empty() {
            return Err(Failure::new("The name is empty."));
        }
        Ok(format!("{}{name}", self.prefix))
    }
}

fn changes(asked: Vec<i64>, changed: Vec<i64>) -> Json<Changed> {
    let done: BTreeSet<i64> = changed.iter().copied().collect();
    let left_out = asked.into_iter().filter(|id| !done.contains(id)).collect::<BTreeSet<_>>().into_iter().collect();
    Json(Changed { changed, left_out })
}
