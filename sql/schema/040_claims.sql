-- Memory, made visible: who holds what, and the two views that show it beside the rows.

CREATE FUNCTION pgq.claims(OUT id bigint, OUT worker uuid, OUT attempt int, OUT picked timestamptz)
RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'claims_wrapper';
COMMENT ON FUNCTION pgq.claims() IS
    'All claims in this database, copied from memory. Empty on a standby and where the library is not preloaded. Internal: read pgq.jobs.';

CREATE FUNCTION pgq.claimed(id bigint) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'claimed_wrapper';
COMMENT ON FUNCTION pgq.claimed(bigint) IS
    'Whether anybody holds this job now. Internal: means something only to a caller that holds the job''s row lock.';

-- Stable, so that pgq.jobs can be joined by an index: a view whose columns are volatile is computed as a whole.
CREATE FUNCTION pgq.attempt_ended(id bigint, attempts int) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'attempt_ended_wrapper';
COMMENT ON FUNCTION pgq.attempt_ended(bigint, int) IS
    'Whether this attempt at a job is over. Internal: pgq.jobs asks for rows that somebody has touched, so that an old snapshot does not show an ended job as queued.';

CREATE FUNCTION pgq.known_workers(
    OUT worker uuid, OUT kind text, OUT pid int, OUT since timestamptz, OUT last_seen timestamptz, OUT lease interval,
    OUT claims bigint
) RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'known_workers_wrapper';
COMMENT ON FUNCTION pgq.known_workers() IS 'All workers of this database that memory knows. Internal: read pgq.workers.';

CREATE VIEW pgq.jobs AS
SELECT j.id,
       j.entrypoint,
       j.payload,
       j.headers,
       j.priority,
       CASE WHEN j.held THEN 'failed'::pgq.job_status
            WHEN c.id IS NOT NULL THEN 'picked'::pgq.job_status
            WHEN j.xmax OPERATOR(pg_catalog.<>) '0'::pg_catalog.xid AND pgq.attempt_ended(j.id, j.attempts) THEN 'picked'::pgq.job_status
            ELSE 'queued'::pgq.job_status END AS status,
       j.attempts,
       c.worker,
       j.created,
       coalesce(j.execute_after, j.created) AS execute_after,
       c.picked,
       j.dedupe_key,
       j.ordering_key
  FROM pgq.job AS j
  LEFT JOIN pgq.claims() AS c ON c.id OPERATOR(pg_catalog.=) j.id;
COMMENT ON VIEW pgq.jobs IS
    'Live jobs: their rows, and from memory who holds them. INSERT and COPY FROM enqueue; COPY (SELECT ...) TO copies out; change and remove jobs with pgq.reschedule, pgq.cancel and pgq.delete.';
COMMENT ON COLUMN pgq.jobs.id IS 'The job''s id, given by the queue.';
COMMENT ON COLUMN pgq.jobs.entrypoint IS 'The kind of work, 1 to 255 bytes.';
COMMENT ON COLUMN pgq.jobs.payload IS 'What to work on, as bytes: see pgq.payload_text and pgq.payload_json.';
COMMENT ON COLUMN pgq.jobs.headers IS 'Metadata: a JSON object.';
COMMENT ON COLUMN pgq.jobs.priority IS 'Higher first.';
COMMENT ON COLUMN pgq.jobs.status IS 'queued, picked or failed.';
COMMENT ON COLUMN pgq.jobs.attempts IS 'How many earlier attempts there were: 0 on the first.';
COMMENT ON COLUMN pgq.jobs.worker IS 'Who holds it.';
COMMENT ON COLUMN pgq.jobs.created IS 'When it was enqueued.';
COMMENT ON COLUMN pgq.jobs.execute_after IS 'Earliest start; of a failed job, when it failed.';
COMMENT ON COLUMN pgq.jobs.picked IS 'When it was claimed.';
COMMENT ON COLUMN pgq.jobs.dedupe_key IS 'Unique among queued and picked jobs.';
COMMENT ON COLUMN pgq.jobs.ordering_key IS 'Jobs of one entrypoint with one key run one at a time, lowest id first.';

CREATE VIEW pgq.workers AS
SELECT w.worker, w.kind, w.pid, w.since, w.last_seen, w.lease, w.claims FROM pgq.known_workers() AS w;
COMMENT ON VIEW pgq.workers IS 'Workers that hold claims or were heard of lately.';
COMMENT ON COLUMN pgq.workers.worker IS 'The worker''s uuid; a session''s is made by the queue.';
COMMENT ON COLUMN pgq.workers.kind IS 'session or named.';
COMMENT ON COLUMN pgq.workers.pid IS 'Process of its session; NULL for a named worker.';
COMMENT ON COLUMN pgq.workers.since IS 'When it was first heard of.';
COMMENT ON COLUMN pgq.workers.last_seen IS 'When it was last heard of.';
COMMENT ON COLUMN pgq.workers.lease IS 'How long a sign of life keeps its claims; NULL for a session, which keeps them while it lives.';
COMMENT ON COLUMN pgq.workers.claims IS 'How many jobs it holds.';

CREATE FUNCTION pgq.jobs_insert() RETURNS trigger
LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'jobs_insert_wrapper';
COMMENT ON FUNCTION pgq.jobs_insert() IS 'INSERT and COPY into pgq.jobs enqueue a job.';
CREATE FUNCTION pgq.jobs_refuse() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'jobs_refuse_wrapper';
COMMENT ON FUNCTION pgq.jobs_refuse() IS 'UPDATE and DELETE on pgq.jobs are refused.';
CREATE FUNCTION pgq.job_truncated() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'job_truncated_wrapper';
COMMENT ON FUNCTION pgq.job_truncated() IS 'Claims on jobs of a truncated table end with its commit.';
CREATE FUNCTION pgq.job_written() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'job_written_wrapper';
COMMENT ON FUNCTION pgq.job_written() IS 'Tells workers of jobs that came into the table past the functions and pgq.jobs.';

CREATE TRIGGER jobs_insert INSTEAD OF INSERT ON pgq.jobs FOR EACH ROW EXECUTE FUNCTION pgq.jobs_insert();
CREATE TRIGGER jobs_refuse INSTEAD OF UPDATE OR DELETE ON pgq.jobs FOR EACH ROW EXECUTE FUNCTION pgq.jobs_refuse();
-- Also where no row is met: what seems to work on an empty queue would fail on a full one.
CREATE TRIGGER jobs_refuse_all BEFORE UPDATE OR DELETE ON pgq.jobs FOR EACH STATEMENT EXECUTE FUNCTION pgq.jobs_refuse();
CREATE TRIGGER job_truncated AFTER TRUNCATE ON pgq.job FOR EACH STATEMENT EXECUTE FUNCTION pgq.job_truncated();
ALTER TABLE pgq.job ENABLE ALWAYS TRIGGER job_truncated;
-- A restore and an operator write the table itself: one call a statement. Replication fires no triggers of statements, so
-- there, and there only, it is one a row.
CREATE TRIGGER job_written AFTER INSERT OR UPDATE OR DELETE ON pgq.job FOR EACH STATEMENT EXECUTE FUNCTION pgq.job_written();
CREATE TRIGGER job_replicated AFTER INSERT OR UPDATE OR DELETE ON pgq.job FOR EACH ROW EXECUTE FUNCTION pgq.job_written();
ALTER TABLE pgq.job ENABLE REPLICA TRIGGER job_replicated;
-- In session_replication_role = replica, too, or the view would swallow an INSERT without a word. ALTER TABLE refuses
-- views, the catalog does not.
UPDATE pg_catalog.pg_trigger SET tgenabled = 'A' WHERE tgrelid = 'pgq.jobs'::pg_catalog.regclass;
COMMENT ON TRIGGER jobs_insert ON pgq.jobs IS 'Enqueues.';
COMMENT ON TRIGGER jobs_refuse ON pgq.jobs IS 'Refuses, and says what to call.';
COMMENT ON TRIGGER jobs_refuse_all ON pgq.jobs IS 'Refuses, whether a row is met or not.';
COMMENT ON TRIGGER job_truncated ON pgq.job IS 'Ends the claims.';
COMMENT ON TRIGGER job_written ON pgq.job IS 'Tells workers.';
COMMENT ON TRIGGER job_replicated ON pgq.job IS 'Tells workers of replicated jobs.';
