-- Schedules of this installation whose tick has come, and whether the last job of each is still queued or picked.
-- Called by: schedule/fire.rs. Parameters: now, ids to leave out, how many.
-- Indexes: schedules_next_tick_idx; the primary key of pgq.job, one probe each. Locks: the rows; those that somebody is
-- changing are passed over.
SELECT s.id, s.cron, s.timezone, s.entrypoint, s.catch_up, s.overlap, s.next_tick, s.last_job,
       coalesce((SELECT NOT j.held FROM pgq.job AS j WHERE j.id = s.last_job), false) AS is_live
  FROM pgq.schedules AS s
 WHERE s.next_tick <= $1::timestamptz AND s.id <> ALL ($2::bigint[])
   AND s.installation = (SELECT i.id FROM pgq.installation AS i)
 ORDER BY s.next_tick, s.id LIMIT $3::bigint FOR NO KEY UPDATE OF s SKIP LOCKED
