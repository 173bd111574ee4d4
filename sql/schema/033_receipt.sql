-- Receipts: claims that have lived longer than pgqueuer.receipt_after, so that a named worker keeps its job through a
-- restart. Not dumped: a copy of the database has other workers. Written and struck out by the database's worker, in
-- batches; pgq.release takes its own out.

CREATE TABLE pgq.receipt (
    job_id  bigint PRIMARY KEY,
    attempt int NOT NULL,
    created timestamptz NOT NULL,
    worker  uuid NOT NULL,
    session boolean NOT NULL,
    picked  timestamptz NOT NULL,
    lease   bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 500, fillfactor = 70);

COMMENT ON TABLE pgq.receipt IS 'Claims that are to be known after a restart. Internal: read pgq.jobs.';
COMMENT ON COLUMN pgq.receipt.job_id IS 'The job.';
COMMENT ON COLUMN pgq.receipt.attempt IS 'Which attempt at it: the row of the job must say the same.';
COMMENT ON COLUMN pgq.receipt.created IS 'When the job was enqueued: the row must say the same.';
COMMENT ON COLUMN pgq.receipt.worker IS 'Who held it.';
COMMENT ON COLUMN pgq.receipt.session IS 'Whether that was a session, which a restart ends.';
COMMENT ON COLUMN pgq.receipt.picked IS 'Since when.';
COMMENT ON COLUMN pgq.receipt.lease IS 'The lease of a named worker, microseconds.';
