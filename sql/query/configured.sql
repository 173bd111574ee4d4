-- The settings of entrypoints that an operator watches.
-- Called by: see/metrics.rs. Reads all of pgq.entrypoints, which are few.
SELECT e.entrypoint, e.concurrency_limit, e.paused FROM pgq.entrypoints AS e
