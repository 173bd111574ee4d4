-- The settings that decide whether jobs of these entrypoints may be handed out.
-- Called by: job/dequeue.rs. Parameters: entrypoints.
-- Index: primary key of pgq.entrypoints, one probe an entrypoint.
SELECT e.entrypoint, e.concurrency_limit, e.rate_limit, e.rate_period, e.paused
  FROM pgq.entrypoints AS e WHERE e.entrypoint = ANY ($1::text[])
