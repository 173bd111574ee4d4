-- A queue as it is written by hand: the same columns, checks and log as ours, and who holds a job is written on its row.
-- The extension is here only to be copied from.
CREATE EXTENSION pgqueuer;
CREATE SCHEMA queue;
CREATE TYPE queue.job_status AS ENUM ('queued', 'picked');
CREATE SEQUENCE queue.job_id_seq;
CREATE TABLE queue.job (
    LIKE pgq.job INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    status queue.job_status NOT NULL DEFAULT 'queued',
    worker uuid,
    picked timestamptz,
    PRIMARY KEY (id)
);
CREATE INDEX job_claim_idx ON queue.job (entrypoint, priority DESC, id) WHERE status = 'queued';
CREATE TABLE queue.job_log (LIKE pgq.job_log INCLUDING INDEXES);
