-- The schema itself, and what must be true of the database. Nobody but its owner has any right in it until a pgq.grant_... function gives one.

DO $$
BEGIN
    IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'pgqueuer needs a database with encoding UTF8, not %', pg_catalog.current_setting('server_encoding')
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Create one: CREATE DATABASE name ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
    -- PgQ, an older extension of another project, uses the same schema. Adopting its objects would break both.
    -- A schema that another role owns is refused, too: its owner could drop what is in it.
    IF EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                  AND d.refobjid = 'pgq'::pg_catalog.regnamespace
                  AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass)
       OR EXISTS (SELECT FROM pg_catalog.pg_namespace AS n
                   WHERE n.nspname = 'pgq' AND pg_catalog.pg_get_userbyid(n.nspowner) <> current_user) THEN
        RAISE EXCEPTION 'schema "pgq" belongs to something else'
            USING ERRCODE = 'duplicate_schema',
                  HINT = 'Install pgqueuer into a database whose schema "pgq" is empty or does not exist.';
    END IF;
END
$$;

REVOKE ALL ON SCHEMA pgq FROM PUBLIC;
COMMENT ON SCHEMA pgq IS 'pgqueuer: a job queue. Jobs are rows, claims are memory.';
-- queued, picked and failed are states of a live job; the others say how an attempt or a job ended.
CREATE TYPE pgq.job_status AS ENUM (
    'queued', 'picked', 'failed',
    'successful', 'exception', 'canceled', 'deleted', 'retried', 'released'
);
COMMENT ON TYPE pgq.job_status IS
    'What a job is (queued, picked, failed) or how an attempt or a job ended (successful, exception, failed, canceled, deleted, retried, released).';
-- Jobs. A row is written when its job is enqueued and removed when it ends; only a retry, a hold or an operator's
-- change touches it in between. Who holds it is not here: that is memory (see pgq.jobs).

CREATE SEQUENCE pgq.job_id_seq;
COMMENT ON SEQUENCE pgq.job_id_seq IS 'Ids of jobs.';

-- Column order: eight bytes wide, four, one, then the variable ones, so that no row pays for padding.
CREATE TABLE pgq.job (
    id            bigint      NOT NULL,
    created       timestamptz NOT NULL,
    due           timestamptz NOT NULL,
    execute_after timestamptz,
    priority      int         NOT NULL DEFAULT 0,
    attempts      int         NOT NULL DEFAULT 0,
    failures      int         NOT NULL DEFAULT 0,
    releases      int         NOT NULL DEFAULT 0,
    held          boolean     NOT NULL DEFAULT false,
    entrypoint    text COLLATE "C" NOT NULL,
    producer      text COLLATE "C",
    dedupe_key    text COLLATE "C",
    ordering_key  text COLLATE "C",
    payload       bytea,
    headers       jsonb,
    -- No CHECK: it would be read anew by each statement that writes a row, a tenth of its time. Everything comes through
    -- functions that check.
    CONSTRAINT job_pkey PRIMARY KEY (id)
) WITH (
    -- Dead rows come in step with the work: clean early, in small portions, without pauses.
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 500
);

-- Serves candidates.sql and next_priority.sql: the order in which jobs are handed out. "due <= now" bounds the walk,
-- so deferred and held jobs are never walked.
CREATE INDEX job_claim_idx ON pgq.job (entrypoint, priority DESC, due, id);
-- Serves enqueue_skip.sql and enqueue_replace.sql, and is the promise behind dedupe_key.
CREATE UNIQUE INDEX job_dedupe_key_idx ON pgq.job (dedupe_key) WHERE dedupe_key IS NOT NULL AND NOT held;
-- Serves candidates.sql and look.sql: the first job of a key.
CREATE INDEX job_ordering_key_idx ON pgq.job (entrypoint, ordering_key, id) WHERE ordering_key IS NOT NULL AND NOT held;

-- Serves prune_failed.sql and oldest_failed.sql, and pgq.health. Costs nothing for jobs that are not held.
CREATE INDEX job_held_idx ON pgq.job (execute_after) WHERE held;

SELECT pg_catalog.pg_extension_config_dump('pgq.job', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.job_id_seq', '');

COMMENT ON TABLE pgq.job IS 'Rows of jobs. Read the view pgq.jobs, which adds who holds them; change them through the functions.';
COMMENT ON COLUMN pgq.job.id IS 'The job''s id.';
COMMENT ON COLUMN pgq.job.created IS 'When it was enqueued.';
COMMENT ON COLUMN pgq.job.due IS 'When it may run: the later of created and execute_after; infinity while it is held.';
COMMENT ON COLUMN pgq.job.execute_after IS 'Earliest start, where one was asked for or a retry set one; since when it is held.';
COMMENT ON COLUMN pgq.job.priority IS 'Higher first.';
COMMENT ON COLUMN pgq.job.attempts IS 'How many earlier attempts there were.';
COMMENT ON COLUMN pgq.job.failures IS 'How many of them failed; max_attempts counts these.';
COMMENT ON COLUMN pgq.job.releases IS 'How many of them were released because their worker was lost; max_releases counts these.';
COMMENT ON COLUMN pgq.job.held IS 'Held as failed until it is requeued or deleted.';
COMMENT ON COLUMN pgq.job.entrypoint IS 'The kind of work.';
COMMENT ON COLUMN pgq.job.producer IS 'The role that enqueued it.';
COMMENT ON COLUMN pgq.job.dedupe_key IS 'Unique among live jobs that are not held.';
COMMENT ON COLUMN pgq.job.ordering_key IS 'Jobs of one entrypoint with one key run one at a time, lowest id first.';
COMMENT ON COLUMN pgq.job.payload IS 'What to work on, as bytes.';
COMMENT ON COLUMN pgq.job.headers IS 'Metadata: a JSON object.';
-- The log: one row for every attempt or job that ended, in a fixed ring of tables. Retention truncates the oldest;
-- no table is made or dropped at run time, because pg_dump would lose it and a reader would stop every finish.

CREATE TABLE pgq.job_log (
    job_id     bigint NOT NULL,
    entrypoint text COLLATE "C" NOT NULL,
    priority   int NOT NULL,
    attempts   int NOT NULL,
    worker     uuid,
    outcome    pgq.job_status NOT NULL,
    error      jsonb,
    created    timestamptz NOT NULL,
    picked     timestamptz,
    finished   timestamptz NOT NULL,
    producer   text COLLATE "C",
    slot       smallint NOT NULL
) PARTITION BY LIST (slot);

CREATE TABLE pgq.job_log_0 PARTITION OF pgq.job_log FOR VALUES IN (0);
CREATE TABLE pgq.job_log_1 PARTITION OF pgq.job_log FOR VALUES IN (1);
CREATE TABLE pgq.job_log_2 PARTITION OF pgq.job_log FOR VALUES IN (2);
CREATE TABLE pgq.job_log_3 PARTITION OF pgq.job_log FOR VALUES IN (3);
CREATE TABLE pgq.job_log_4 PARTITION OF pgq.job_log FOR VALUES IN (4);
CREATE TABLE pgq.job_log_5 PARTITION OF pgq.job_log FOR VALUES IN (5);
CREATE TABLE pgq.job_log_6 PARTITION OF pgq.job_log FOR VALUES IN (6);
CREATE TABLE pgq.job_log_7 PARTITION OF pgq.job_log FOR VALUES IN (7);

-- Serves pgq.status: what became of a job.
CREATE INDEX job_log_job_id_idx ON pgq.job_log (job_id);
-- Serves pgq.throughput and pgq.latency: rows are appended in this order, so a few pages of summary are enough.
CREATE INDEX job_log_finished_idx ON pgq.job_log USING brin (finished) WITH (autosummarize = on);

-- Which table of the ring is written, and since when each of the others is not. No row: the first, and nothing is known.
-- There is one from the beginning, so that a restore and the worker never meet over making it.
CREATE TABLE pgq.log_ring (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    current smallint NOT NULL CHECK (current BETWEEN 0 AND 7),
    since   timestamptz NOT NULL,
    left_at timestamptz[] NOT NULL DEFAULT '{}'
);
INSERT INTO pgq.log_ring (current, since) VALUES (0, pg_catalog.now());

-- A restore brings the row of the dump: it counts, as the tables that come with it are those that it speaks of.
CREATE FUNCTION pgq.log_ring_written() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE pgq.log_ring SET current = NEW.current, since = NEW.since, left_at = NEW.left_at;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION pgq.log_ring_written() IS 'A second row is written over the first.';
CREATE TRIGGER log_ring_written BEFORE INSERT ON pgq.log_ring FOR EACH ROW EXECUTE FUNCTION pgq.log_ring_written();
ALTER TABLE pgq.log_ring ENABLE ALWAYS TRIGGER log_ring_written;
COMMENT ON TRIGGER log_ring_written ON pgq.log_ring IS 'Keeps one row.';

-- The lock is asked for shortly: whoever comes behind a TRUNCATE that waits waits too. The size is asked first, because
-- a TRUNCATE of an empty table makes new files and tells everybody.
CREATE FUNCTION pgq.empty_log(slot int, patience int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_catalog.pg_relation_size(pg_catalog.format('pgq.job_log_%s', slot)::pg_catalog.regclass) > 0 THEN
        PERFORM pg_catalog.set_config('lock_timeout', patience || 'ms', true);
        EXECUTE pg_catalog.format('TRUNCATE pgq.job_log_%s', slot);
    END IF;
END
$$;
COMMENT ON FUNCTION pgq.empty_log(int, int) IS
    'Empties a table of the log''s ring. Waits for its lock at most so many milliseconds, then fails with 55P03. Internal: called by retention.';

SELECT pg_catalog.pg_extension_config_dump('pgq.job_log_0', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.job_log_1', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.job_log_2', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.job_log_3', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.job_log_4', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.job_log_5', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.job_log_6', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.job_log_7', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.log_ring', '');

COMMENT ON TABLE pgq.job_log IS 'One row for every attempt or job that ended.';
COMMENT ON COLUMN pgq.job_log.job_id IS 'The job.';
COMMENT ON COLUMN pgq.job_log.entrypoint IS 'Its entrypoint.';
COMMENT ON COLUMN pgq.job_log.priority IS 'Its priority.';
COMMENT ON COLUMN pgq.job_log.attempts IS 'How many attempts there were before this one.';
COMMENT ON COLUMN pgq.job_log.worker IS 'Who held it; NULL where nobody did.';
COMMENT ON COLUMN pgq.job_log.outcome IS 'How it ended.';
COMMENT ON COLUMN pgq.job_log.error IS 'The error or reason given: a JSON string for text.';
COMMENT ON COLUMN pgq.job_log.created IS 'When the job was enqueued.';
COMMENT ON COLUMN pgq.job_log.picked IS 'When this attempt was claimed; NULL where it was not.';
COMMENT ON COLUMN pgq.job_log.finished IS 'When it ended.';
COMMENT ON COLUMN pgq.job_log.producer IS 'The role that enqueued the job.';
COMMENT ON COLUMN pgq.job_log.slot IS 'The table of the ring that holds the row.';
COMMENT ON TABLE pgq.job_log_0 IS 'Table 0 of the log''s ring.';
COMMENT ON TABLE pgq.job_log_1 IS 'Table 1 of the log''s ring.';
COMMENT ON TABLE pgq.job_log_2 IS 'Table 2 of the log''s ring.';
COMMENT ON TABLE pgq.job_log_3 IS 'Table 3 of the log''s ring.';
COMMENT ON TABLE pgq.job_log_4 IS 'Table 4 of the log''s ring.';
COMMENT ON TABLE pgq.job_log_5 IS 'Table 5 of the log''s ring.';
COMMENT ON TABLE pgq.job_log_6 IS 'Table 6 of the log''s ring.';
COMMENT ON TABLE pgq.job_log_7 IS 'Table 7 of the log''s ring.';
COMMENT ON TABLE pgq.log_ring IS 'Which table of the log''s ring is written.';
COMMENT ON COLUMN pgq.log_ring.one IS 'Keeps the table at one row.';
COMMENT ON COLUMN pgq.log_ring.current IS 'The number of the table.';
COMMENT ON COLUMN pgq.log_ring.since IS 'Since when.';
COMMENT ON COLUMN pgq.log_ring.left_at IS 'For each table since when it is not written any more; NULL or missing where it is empty or is the one that is written.';
-- Settings of entrypoints. One without a row here has the defaults.

CREATE TABLE pgq.entrypoints (
    entrypoint         text COLLATE "C" NOT NULL PRIMARY KEY CHECK (pg_catalog.octet_length(entrypoint) BETWEEN 1 AND 255),
    concurrency_limit  int      NOT NULL DEFAULT 0       CHECK (concurrency_limit >= 0),
    max_attempts       int      NOT NULL DEFAULT 5       CHECK (max_attempts >= 1),
    backoff_initial    interval NOT NULL DEFAULT '1 s'   CHECK (backoff_initial >= '0'),
    backoff_max        interval NOT NULL DEFAULT '5 min' CHECK (backoff_max >= '0'),
    backoff_multiplier float8   NOT NULL DEFAULT 2       CHECK (backoff_multiplier >= 1),
    on_failure         text     NOT NULL DEFAULT 'hold'  CHECK (on_failure IN ('hold', 'delete')),
    max_releases       int      NOT NULL DEFAULT 10      CHECK (max_releases >= 0),
    rate_limit         int      NOT NULL DEFAULT 0       CHECK (rate_limit >= 0),
    rate_period        interval NOT NULL DEFAULT '1 s'   CHECK (rate_period > '0'),
    paused             boolean  NOT NULL DEFAULT false
);

SELECT pg_catalog.pg_extension_config_dump('pgq.entrypoints', '');

COMMENT ON TABLE pgq.entrypoints IS 'Settings of entrypoints: change them with pgq.configure, pgq.pause and pgq.resume. An entrypoint without a row has the defaults.';
COMMENT ON COLUMN pgq.entrypoints.entrypoint IS 'The entrypoint.';
COMMENT ON COLUMN pgq.entrypoints.concurrency_limit IS 'Jobs picked at one time, over all workers; 0 for any number.';
COMMENT ON COLUMN pgq.entrypoints.max_attempts IS 'After so many failed attempts the job is given up; 1 for no retry.';
COMMENT ON COLUMN pgq.entrypoints.backoff_initial IS 'Delay before the second attempt.';
COMMENT ON COLUMN pgq.entrypoints.backoff_max IS 'No delay is longer.';
COMMENT ON COLUMN pgq.entrypoints.backoff_multiplier IS 'Each delay is the last one times this.';
COMMENT ON COLUMN pgq.entrypoints.on_failure IS 'What a job becomes that is given up: hold keeps it as failed, delete removes it.';
COMMENT ON COLUMN pgq.entrypoints.max_releases IS 'After so many lost workers the job counts as failed.';
COMMENT ON COLUMN pgq.entrypoints.rate_limit IS 'Claims in any stretch of rate_period, over all workers; 0 for any number.';
COMMENT ON COLUMN pgq.entrypoints.rate_period IS 'See rate_limit.';
COMMENT ON COLUMN pgq.entrypoints.paused IS 'While true nothing of it is handed out.';
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
-- Schedules: each tick enqueues a job. The tick is taken and the job enqueued in one transaction, under the lock of the
-- schedule's row, so no tick ever makes two.

CREATE SEQUENCE pgq.schedule_id_seq;
COMMENT ON SEQUENCE pgq.schedule_id_seq IS 'Ids of schedules.';

-- Where the extension was made, to know a copy. Not dumped: a restore makes its own, and the schedules that it brings
-- name another.
CREATE TABLE pgq.installation (
    id       uuid    NOT NULL,
    system   bigint  NOT NULL,
    database oid     NOT NULL,
    job      oid     NOT NULL,
    major    int     NOT NULL,
    armed    boolean NOT NULL DEFAULT true
);

CREATE TABLE pgq.schedules (
    name         text COLLATE "C" NOT NULL,
    cron         text COLLATE "C" NOT NULL,
    timezone     text COLLATE "C" NOT NULL DEFAULT 'UTC',
    entrypoint   text COLLATE "C" NOT NULL,
    payload      bytea,
    priority     int     NOT NULL DEFAULT 0,
    headers      jsonb,
    catch_up     text    NOT NULL DEFAULT 'one',
    overlap      boolean NOT NULL DEFAULT false,
    ordering_key text COLLATE "C",
    enabled      boolean NOT NULL DEFAULT true,
    next_tick    timestamptz,
    last_tick    timestamptz,
    last_job     bigint,
    note         text,
    id           bigint  NOT NULL,
    producer     text COLLATE "C",
    installation uuid    NOT NULL,
    CONSTRAINT schedules_pkey PRIMARY KEY (id),
    CONSTRAINT schedules_name_key UNIQUE (name)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0
);
-- Serves due_schedules.sql and next_tick.sql.
CREATE INDEX schedules_next_tick_idx ON pgq.schedules (next_tick, id) WHERE next_tick IS NOT NULL;
-- Serves arming.sql: whether any schedule came from elsewhere.
CREATE INDEX schedules_installation_idx ON pgq.schedules (installation);

SELECT pg_catalog.pg_extension_config_dump('pgq.schedules', '');
SELECT pg_catalog.pg_extension_config_dump('pgq.schedule_id_seq', '');

CREATE FUNCTION pgq.new_installation() RETURNS uuid
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'new_installation_wrapper';
COMMENT ON FUNCTION pgq.new_installation() IS 'A name for an installation that no other has. Internal.';

INSERT INTO pgq.installation (id, system, database, job, major)
SELECT pgq.new_installation(), c.system_identifier, d.oid, 'pgq.job'::pg_catalog.regclass,
       pg_catalog.current_setting('server_version_num')::int / 10000
  FROM pg_catalog.pg_control_system() AS c, pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database();

COMMENT ON TABLE pgq.schedules IS 'Schedules: change them with pgq.schedule, pgq.unschedule, pgq.pause_schedule and pgq.resume_schedule.';
COMMENT ON COLUMN pgq.schedules.name IS 'Its name.';
COMMENT ON COLUMN pgq.schedules.cron IS 'When it ticks: five fields, or six with the seconds last.';
COMMENT ON COLUMN pgq.schedules.timezone IS 'The time zone in which the fields are read.';
COMMENT ON COLUMN pgq.schedules.entrypoint IS 'The kind of work that a tick enqueues.';
COMMENT ON COLUMN pgq.schedules.payload IS 'The payload of its jobs, as bytes.';
COMMENT ON COLUMN pgq.schedules.priority IS 'The priority of its jobs.';
COMMENT ON COLUMN pgq.schedules.headers IS 'Headers of its jobs, to which schedule and scheduled_at are added.';
COMMENT ON COLUMN pgq.schedules.catch_up IS 'What becomes of ticks that were missed while the server was down: skip, one or all.';
COMMENT ON COLUMN pgq.schedules.overlap IS 'Whether a tick enqueues a job while the last one is still queued or picked.';
COMMENT ON COLUMN pgq.schedules.ordering_key IS 'The ordering key of its jobs.';
COMMENT ON COLUMN pgq.schedules.enabled IS 'False while it is paused.';
COMMENT ON COLUMN pgq.schedules.next_tick IS 'When it ticks next; NULL while it is paused, and where no tick will come any more.';
COMMENT ON COLUMN pgq.schedules.last_tick IS 'When it ticked last, whether that enqueued a job or not.';
COMMENT ON COLUMN pgq.schedules.last_job IS 'The last job that it enqueued.';
COMMENT ON COLUMN pgq.schedules.note IS 'Why ticks of late enqueued nothing; NULL where all is well.';
COMMENT ON COLUMN pgq.schedules.id IS 'Its id.';
COMMENT ON COLUMN pgq.schedules.producer IS 'The role that made it, in whose name jobs are enqueued.';
COMMENT ON COLUMN pgq.schedules.installation IS 'The installation that it ticks in: see pgq.arm.';
COMMENT ON TABLE pgq.installation IS 'Where the extension was made, to know a copy of the database. Internal.';
COMMENT ON COLUMN pgq.installation.id IS 'Made anew by CREATE EXTENSION.';
COMMENT ON COLUMN pgq.installation.system IS 'The server''s system identifier.';
COMMENT ON COLUMN pgq.installation.database IS 'The database.';
COMMENT ON COLUMN pgq.installation.job IS 'The table pgq.job.';
COMMENT ON COLUMN pgq.installation.major IS 'The server''s major version: pg_upgrade changes the system identifier with it.';
COMMENT ON COLUMN pgq.installation.armed IS 'False once this was seen to be a copy.';

-- A restore and an operator write the table itself.
CREATE FUNCTION pgq.schedules_written() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'schedules_written_wrapper';
COMMENT ON FUNCTION pgq.schedules_written() IS 'Tells the scheduler of schedules that came into the table past the functions.';
CREATE TRIGGER schedules_written AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgq.schedules
    FOR EACH STATEMENT EXECUTE FUNCTION pgq.schedules_written();
-- Also of what is restored or replicated with triggers off.
ALTER TABLE pgq.schedules ENABLE ALWAYS TRIGGER schedules_written;
COMMENT ON TRIGGER schedules_written ON pgq.schedules IS 'Tells the scheduler.';
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
-- Producing. The payload's argument name says its type, and only the text overload has a default, so that drivers
-- that send untyped parameters meet no ambiguity.

CREATE FUNCTION pgq.enqueue(
    entrypoint text, payload text DEFAULT NULL, priority int DEFAULT 0, execute_after timestamptz DEFAULT NULL,
    delay interval DEFAULT NULL, dedupe_key text DEFAULT NULL, on_conflict text DEFAULT 'raise',
    headers jsonb DEFAULT NULL, ordering_key text DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_bytes_wrapper';
COMMENT ON FUNCTION pgq.enqueue(text, text, int, timestamptz, interval, text, text, jsonb, text) IS
$$Enqueues a job and returns its id; NULL where it was skipped. It exists when the transaction commits.

entrypoint: the kind of work, 1 to 255 bytes. payload: text, stored as UTF-8. priority: higher first. execute_after or
delay: earliest start. dedupe_key: unique among queued and picked jobs of all entrypoints. on_conflict: raise,
skip or replace, which rewrites payload, priority, headers and start of the queued job that has the key.
headers: a JSON object. ordering_key: jobs of the entrypoint with one key run one at a time, in order of enqueue.

Errors: 22023 for a bad argument, which it names; 23505 for a key that is taken.
Example: SELECT pgq.enqueue('fetch', 'hello world', priority => 5)$$;

CREATE FUNCTION pgq.enqueue(
    entrypoint text, payload_bytes bytea, priority int DEFAULT 0, execute_after timestamptz DEFAULT NULL,
    delay interval DEFAULT NULL, dedupe_key text DEFAULT NULL, on_conflict text DEFAULT 'raise',
    headers jsonb DEFAULT NULL, ordering_key text DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_bytes_wrapper';
COMMENT ON FUNCTION pgq.enqueue(text, bytea, int, timestamptz, interval, text, text, jsonb, text) IS
$$As pgq.enqueue with a text payload, for bytes.
Example: SELECT pgq.enqueue('fetch', payload_bytes => '\x00ff')$$;

CREATE FUNCTION pgq.enqueue(
    entrypoint text, payload_json json, priority int DEFAULT 0, execute_after timestamptz DEFAULT NULL,
    delay interval DEFAULT NULL, dedupe_key text DEFAULT NULL, on_conflict text DEFAULT 'raise',
    headers jsonb DEFAULT NULL, ordering_key text DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_bytes_wrapper';
COMMENT ON FUNCTION pgq.enqueue(text, json, int, timestamptz, interval, text, text, jsonb, text) IS
$$As pgq.enqueue with a text payload, for JSON, stored as its text.
Example: SELECT pgq.enqueue('fetch', payload_json => json_build_object('url', 'https://example.org'))$$;

CREATE FUNCTION pgq.enqueue(
    entrypoint text, payload_jsonb jsonb, priority int DEFAULT 0, execute_after timestamptz DEFAULT NULL,
    delay interval DEFAULT NULL, dedupe_key text DEFAULT NULL, on_conflict text DEFAULT 'raise',
    headers jsonb DEFAULT NULL, ordering_key text DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_jsonb_wrapper';
COMMENT ON FUNCTION pgq.enqueue(text, jsonb, int, timestamptz, interval, text, text, jsonb, text) IS
$$As pgq.enqueue with a text payload, for JSON, stored as its text.
Example: SELECT pgq.enqueue('fetch', to_jsonb(NEW), priority => 5) in a trigger function$$;

CREATE FUNCTION pgq.enqueue_many(
    entrypoints text[], payloads bytea[], priorities int[] DEFAULT NULL, execute_after timestamptz[] DEFAULT NULL,
    dedupe_keys text[] DEFAULT NULL, on_conflict text DEFAULT 'raise', headers jsonb[] DEFAULT NULL,
    ordering_keys text[] DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_many_bytes_wrapper';
COMMENT ON FUNCTION pgq.enqueue_many(text[], bytea[], int[], timestamptz[], text[], text, jsonb[], text[]) IS
$$Enqueues a job for every element of payloads, all or none; returns their ids in that order, NULL where one was skipped.

entrypoints: one for each payload, or an array of one for all. priorities, execute_after, dedupe_keys, headers,
ordering_keys: one for each payload, or NULL for the default everywhere. on_conflict: raise, skip or replace.

Errors: 22023 for a bad argument, which it names; 23505 for a key that is taken.
Example: SELECT pgq.enqueue_many('{fetch}', ARRAY['\x01', '\x02']::bytea[])$$;

CREATE FUNCTION pgq.enqueue_many_text(
    entrypoints text[], payloads text[], priorities int[] DEFAULT NULL, execute_after timestamptz[] DEFAULT NULL,
    dedupe_keys text[] DEFAULT NULL, on_conflict text DEFAULT 'raise', headers jsonb[] DEFAULT NULL,
    ordering_keys text[] DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_many_text_wrapper';
COMMENT ON FUNCTION pgq.enqueue_many_text(text[], text[], int[], timestamptz[], text[], text, jsonb[], text[]) IS
$$As pgq.enqueue_many, for text and JSON payloads.
Example: SELECT pgq.enqueue_many_text('{fetch}', ARRAY['one', 'two'])$$;
-- Consuming. Every function here needs the library preloaded.

CREATE FUNCTION pgq.dequeue(
    entrypoints text[], batch_size int DEFAULT 1, worker uuid DEFAULT NULL, lease interval DEFAULT NULL,
    max_in_flight int DEFAULT NULL
) RETURNS SETOF pgq.jobs LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'dequeue_wrapper';
COMMENT ON FUNCTION pgq.dequeue(text[], int, uuid, interval, int) IS
$$Claims up to batch_size jobs of these entrypoints, best first: priority, then when it became due, then id.

worker: NULL for this session, whose claims live as long as it does or until DISCARD ALL; else a uuid, whose claims live by pgq.heartbeat.
lease: named workers, how long a sign of life keeps the claims; NULL for pgqueuer.default_lease. max_in_flight: never let
this worker hold more than so many.

Stands in FROM; LIMIT does not make it claim less. Errors: 22023 for a bad argument; 0A000 in a select list; 25006 on a
standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT * FROM pgq.dequeue('{fetch}', 10)$$;

CREATE PROCEDURE pgq.wait(entrypoints text[], timeout interval DEFAULT '30 s', INOUT ready boolean DEFAULT NULL)
LANGUAGE c AS 'MODULE_PATHNAME', 'wait_for_work_wrapper';
COMMENT ON PROCEDURE pgq.wait(text[], interval, boolean) IS
$$Returns as soon as a job of these entrypoints can be claimed (ready = true; at once if one can be), or at the timeout.

Polls nothing, and holds no snapshot while it waits. Goes alone: not in a transaction block, a function or a pipeline.
Ends with ready = false a little before statement_timeout or transaction_timeout would end it.

Errors: 25001 where it is not alone; 22023 for a bad argument; 25006 on a standby or where transactions are READ ONLY;
55000 where the library is not preloaded.
Example: CALL pgq.wait('{fetch}', '30 s')$$;

CREATE PROCEDURE pgq.wait_for(ids bigint[], timeout interval DEFAULT '30 s', INOUT done boolean DEFAULT NULL)
LANGUAGE c AS 'MODULE_PATHNAME', 'wait_for_wrapper';
COMMENT ON PROCEDURE pgq.wait_for(bigint[], interval, boolean) IS
$$Returns when all of these jobs have ended, as successful, exception, failed, canceled or deleted (done = true), or at the
timeout. Waits as pgq.wait does.

ids: the jobs; one that is not known counts as ended, and so does, for a role that is only a producer, one that it did not
enqueue.

Errors: those of pgq.wait.
Example: CALL pgq.wait_for('{1,2}', '10 s')$$;

CREATE PROCEDURE pgq.wait_for_any(ids bigint[], timeout interval DEFAULT '30 s', INOUT done boolean DEFAULT NULL)
LANGUAGE c AS 'MODULE_PATHNAME', 'wait_for_any_wrapper';
COMMENT ON PROCEDURE pgq.wait_for_any(bigint[], interval, boolean) IS
$$As pgq.wait_for, but returns when one of these jobs has ended (done = true; at once where one has, or for no ids).

ids: as in pgq.wait_for.

Errors: those of pgq.wait.
Example: CALL pgq.wait_for_any('{1,2}', '10 s')$$;

CREATE FUNCTION pgq.attach(worker uuid) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'attach_wrapper';
COMMENT ON FUNCTION pgq.attach(uuid) IS
$$Says that this session belongs to a named worker. When the session ends, and no new one attaches within
pgqueuer.attach_grace, the worker's jobs are released at once, however long its lease. Call it on the session that
listens; one call for each session is enough.

worker: its uuid.

Errors: 22023 for NULL; 53400 for too many workers; 25006 on a standby or in a READ ONLY transaction; 55000 where the
library is not preloaded.
Example: SELECT pgq.attach('9b1c1f9e-6f0e-4b0e-9d38-0f6f5f1d2a11')$$;

CREATE FUNCTION pgq.complete(id bigint, worker uuid DEFAULT NULL, attempt int DEFAULT NULL) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'complete_wrapper';
COMMENT ON FUNCTION pgq.complete(bigint, uuid, int) IS
$$The job is done: its row goes, the log says successful. False where this worker does not hold it.

id: the job. worker: as in pgq.dequeue. attempt: only in this attempt, the column attempts that pgq.dequeue gave.

Errors: 22023 for a NULL id; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.complete(1)$$;

CREATE FUNCTION pgq.complete_many(ids bigint[], worker uuid DEFAULT NULL, attempts int[] DEFAULT NULL) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'complete_many_wrapper';
COMMENT ON FUNCTION pgq.complete_many(bigint[], uuid, int[]) IS
$$As pgq.complete, for many; returns those really completed.

ids: the jobs. worker: as in pgq.dequeue. attempts: one for each id, or NULL.

Errors: those of pgq.complete.
Example: SELECT pgq.complete_many('{1,2,3}')$$;

CREATE FUNCTION pgq.fail(id bigint, error text DEFAULT NULL, worker uuid DEFAULT NULL, attempt int DEFAULT NULL)
RETURNS pgq.job_status LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fail_text_wrapper';
COMMENT ON FUNCTION pgq.fail(bigint, text, uuid, int) IS
$$The attempt failed. Returns what the job is now: queued (it will be tried again after its backoff), failed (held) or
exception (given up and gone); NULL where this worker does not hold it.

id: the job. error: kept in the log as a JSON string. worker: as in pgq.dequeue. attempt: only in this attempt.

Errors: 22023 for a NULL id; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.fail(1, 'connection refused')$$;

CREATE FUNCTION pgq.fail(id bigint, error_json json, worker uuid DEFAULT NULL, attempt int DEFAULT NULL)
RETURNS pgq.job_status LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fail_json_wrapper';
COMMENT ON FUNCTION pgq.fail(bigint, json, uuid, int) IS
$$As pgq.fail with a text, for JSON.
Example: SELECT pgq.fail(1, error_json => '{"code": 503}')$$;

CREATE FUNCTION pgq.fail(id bigint, error_jsonb jsonb, worker uuid DEFAULT NULL, attempt int DEFAULT NULL)
RETURNS pgq.job_status LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fail_jsonb_wrapper';
COMMENT ON FUNCTION pgq.fail(bigint, jsonb, uuid, int) IS
$$As pgq.fail with a text, for JSON.
Example: SELECT pgq.fail(1, error_jsonb => '{"code": 503}')$$;

CREATE FUNCTION pgq.retry(
    id bigint, delay interval DEFAULT '0', reason text DEFAULT NULL, worker uuid DEFAULT NULL, attempt int DEFAULT NULL
) RETURNS boolean LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'retry_wrapper';
COMMENT ON FUNCTION pgq.retry(bigint, interval, text, uuid, int) IS
$$Queues the job again. The attempt counts, but not as a failed one. False where this worker does not hold it.

id: the job. delay: from now on. reason: kept in the log as a JSON string. worker: as in pgq.dequeue. attempt: only in
this attempt.

Errors: 22023 for a NULL id; 22008 for a delay beyond all times; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.retry(1, '5 min', 'rate limited')$$;

CREATE FUNCTION pgq.finish(
    ids bigint[], outcomes text[], errors jsonb[] DEFAULT NULL, worker uuid DEFAULT NULL, attempts int[] DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'finish_wrapper';
COMMENT ON FUNCTION pgq.finish(bigint[], text[], jsonb[], uuid, int[]) IS
$$Ends many jobs, each with its own outcome, at once and for good. Returns those really ended.

ids: the jobs. outcomes: one for each: successful and exception remove the row, failed holds it, whatever attempts are
left. errors: one for each, kept in the log, or NULL. worker: as in pgq.dequeue. attempts: one for each, or NULL.

Errors: 22023 for arrays of unequal length, NULL ids or another word; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.finish('{1,2}', '{successful,exception}', ARRAY[NULL, '{"code": 503}']::jsonb[])$$;

CREATE FUNCTION pgq.release(ids bigint[], worker uuid DEFAULT NULL, attempts int[] DEFAULT NULL) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'release_wrapper';
COMMENT ON FUNCTION pgq.release(bigint[], uuid, int[]) IS
$$Gives claims back: the jobs are queued at once and the attempt does not count. Returns those really released.

ids: the jobs. worker: as in pgq.dequeue. attempts: one for each id, or NULL.

Errors: 22023 for NULL ids; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.release('{1,2}')$$;

CREATE FUNCTION pgq.heartbeat(worker uuid, lease interval DEFAULT NULL, held bigint[] DEFAULT NULL) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'heartbeat_wrapper';
COMMENT ON FUNCTION pgq.heartbeat(uuid, interval, bigint[]) IS
$$A sign of life of a named worker. Returns those of held that it does not hold any more (canceled, lost). Writes nothing.

worker: the uuid it dequeues with. lease: from now on, up to 100 years; NULL for the one it has. held: ids of jobs.

Errors: 22023 for a bad argument; 53400 where memory has room for no more workers; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.heartbeat('7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11', held => '{1,2}')$$;

CREATE FUNCTION pgq.listen(entrypoints text[]) RETURNS SETOF text
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'listen_wrapper';
COMMENT ON FUNCTION pgq.listen(text[]) IS
$$LISTENs to the channels of these entrypoints from the commit on, and returns their names.

entrypoints: as in pgq.dequeue.

Errors: 22023 for a bad argument; 25006 on a standby.
Example: SELECT pgq.listen('{fetch}')$$;

CREATE FUNCTION pgq.channel(entrypoint text) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_wrapper';
COMMENT ON FUNCTION pgq.channel(text) IS
$$The notification channel of an entrypoint: lower case, the same quoted and unquoted. An empty message says that there
are jobs; {"event": "canceled", "ids": [...]} says that running jobs were canceled.

entrypoint: its name.

Errors: 22023 for one that is NULL, empty or over 255 bytes.
Example: SELECT pgq.channel('fetch')$$;
-- Controlling.

CREATE FUNCTION pgq.cancel(ids bigint[]) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'cancel_wrapper';
COMMENT ON FUNCTION pgq.cancel(bigint[]) IS
$$Ends queued, picked and failed jobs as canceled; returns those it ended. Who holds one learns of it by a notification on
the entrypoint's channel and by pgq.heartbeat, and can finish it no more.

ids: the jobs.

Error: 22023 for NULL ids.
Example: SELECT pgq.cancel('{1,2}')$$;

CREATE FUNCTION pgq.delete(ids bigint[]) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'delete_wrapper';
COMMENT ON FUNCTION pgq.delete(bigint[]) IS
$$Ends queued and failed jobs as deleted; returns those it ended. Picked ones are left alone.

ids: the jobs.

Error: 22023 for NULL ids.
Example: SELECT pgq.delete('{1,2}')$$;

CREATE FUNCTION pgq.clear(entrypoints text[] DEFAULT NULL) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'clear_wrapper';
COMMENT ON FUNCTION pgq.clear(text[]) IS
$$Ends all queued jobs as deleted; returns how many.

entrypoints: of these, or of all if NULL.

Error: 22023 for an array that is empty or holds no names.
Example: SELECT pgq.clear('{fetch}')$$;

CREATE FUNCTION pgq.requeue(ids bigint[]) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'requeue_wrapper';
COMMENT ON FUNCTION pgq.requeue(bigint[]) IS
$$Queues failed jobs again, due now, as if they had never been tried; returns those it queued. Left out: jobs that are
not failed, and those whose dedupe key another job has taken.

ids: the jobs.

Error: 22023 for NULL ids.
Example: SELECT pgq.requeue('{1,2}')$$;

CREATE FUNCTION pgq.reschedule(
    ids bigint[], execute_after timestamptz DEFAULT pg_catalog.now(), priority int DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'reschedule_wrapper';
COMMENT ON FUNCTION pgq.reschedule(bigint[], timestamptz, int) IS
$$Changes when queued jobs run; returns those it changed.

ids: the jobs. execute_after: earliest start. priority: NULL leaves it as it is.

Error: 22023 for NULL ids or a NULL time.
Example: SELECT pgq.reschedule('{1}', now() + interval '1 hour')$$;

CREATE FUNCTION pgq.pause(entrypoint text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pause_wrapper';
COMMENT ON FUNCTION pgq.pause(text) IS
$$From the commit on nothing of this entrypoint is handed out. False where it was paused already.

entrypoint: its name.

Error: 22023 for one that is NULL, empty or over 255 bytes.
Example: SELECT pgq.pause('fetch')$$;

CREATE FUNCTION pgq.resume(entrypoint text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resume_wrapper';
COMMENT ON FUNCTION pgq.resume(text) IS
$$Ends a pause. False where there was none.

entrypoint: its name.

Error: 22023 for one that is NULL, empty or over 255 bytes.
Example: SELECT pgq.resume('fetch')$$;

CREATE FUNCTION pgq.configure(
    entrypoint text, concurrency_limit int DEFAULT NULL, max_attempts int DEFAULT NULL,
    backoff_initial interval DEFAULT NULL, backoff_max interval DEFAULT NULL, backoff_multiplier float8 DEFAULT NULL,
    on_failure text DEFAULT NULL, max_releases int DEFAULT NULL, rate_limit int DEFAULT NULL,
    rate_period interval DEFAULT NULL
) RETURNS pgq.entrypoints LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_wrapper';
COMMENT ON FUNCTION pgq.configure(text, int, int, interval, interval, float8, text, int, int, interval) IS
$$Changes settings of an entrypoint, those that are given, and returns all of them.

entrypoint: its name. concurrency_limit: jobs picked at one time, 0 for any number. max_attempts: failed attempts until
it gives up, at least 1. backoff_initial, backoff_multiplier, backoff_max: delays between attempts. on_failure: hold or
delete. max_releases: lost workers until the job counts as failed. rate_limit, rate_period: claims in any stretch of the
period, 0 for any number.

Errors: 22023 for a value out of range, with the range.
Example: SELECT * FROM pgq.configure('fetch', concurrency_limit => 10)$$;
-- Scheduling.

CREATE FUNCTION pgq.schedule(
    name text, cron text, entrypoint text DEFAULT NULL, payload text DEFAULT NULL, timezone text DEFAULT 'UTC',
    priority int DEFAULT 0, headers jsonb DEFAULT NULL, catch_up text DEFAULT 'one', overlap boolean DEFAULT false,
    ordering_key text DEFAULT NULL, payload_bytes bytea DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'schedule_wrapper';
COMMENT ON FUNCTION pgq.schedule(text, text, text, text, text, int, jsonb, text, boolean, text, bytea) IS
$$Makes a schedule, or changes the one of that name, and returns its id. From the commit on each tick enqueues one job, whose
headers say {"schedule": name, "scheduled_at": tick}. A change that leaves cron and timezone as they are keeps the beat; a
paused schedule stays paused.

name: 1 to 255 bytes. cron: five fields (minute, hour, day of month, month, day of week), six with the seconds last, or
@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly. entrypoint: the name, if not given. payload or
payload_bytes: that of its jobs. timezone: an IANA name. priority, headers, ordering_key: those of its jobs. catch_up: what
becomes of ticks that were missed while the server was down: skip, one (one job for all of them) or all (one each, at most
1000). overlap: whether a tick enqueues a job while the last one is still queued or picked.

Error: 22023 for a bad argument, which it names; for cron with the field and the position that could not be read.
Example: SELECT pgq.schedule('report', '30 6 * * mon-fri', timezone => 'Europe/Berlin')$$;

CREATE FUNCTION pgq.unschedule(name text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'unschedule_wrapper';
COMMENT ON FUNCTION pgq.unschedule(text) IS
$$Removes a schedule. False where there is none. Jobs that it has enqueued stay.

name: the schedule.

Error: 22023 for NULL.
Example: SELECT pgq.unschedule('report')$$;

CREATE FUNCTION pgq.pause_schedule(name text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pause_schedule_wrapper';
COMMENT ON FUNCTION pgq.pause_schedule(text) IS
$$From the commit on the schedule does not tick. False where there is none or it is paused already.

name: the schedule.

Error: 22023 for NULL.
Example: SELECT pgq.pause_schedule('report')$$;

CREATE FUNCTION pgq.resume_schedule(name text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resume_schedule_wrapper';
COMMENT ON FUNCTION pgq.resume_schedule(text) IS
$$Ends a pause: the schedule ticks from now on, and ticks of the pause are not made up for. False where there was none.

name: the schedule.

Error: 22023 for NULL.
Example: SELECT pgq.resume_schedule('report')$$;

CREATE FUNCTION pgq.cron_next(
    cron text, after timestamptz DEFAULT pg_catalog.now(), timezone text DEFAULT 'UTC', count int DEFAULT 1
) RETURNS SETOF timestamptz LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'cron_next_wrapper';
COMMENT ON FUNCTION pgq.cron_next(text, timestamptz, text, int) IS
$$The next times at which a cron expression ticks, each later than the one before; fewer where no more come until 2100.

cron, timezone: as in pgq.schedule. after: the first time is strictly later. count: how many, 1 to 100000.

Error: 22023 for a bad argument, which it names.
Example: SELECT * FROM pgq.cron_next('0 9 * * mon', timezone => 'America/New_York', count => 5)$$;

CREATE FUNCTION pgq.arm() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'arm_wrapper';
COMMENT ON FUNCTION pgq.arm() IS
$$Lets the schedules tick of a database that was restored or copied from another: from now on, ticks of the past are not made
up for. Until then none does, so that a copy for staging does not run production's schedules. False where they tick already.
CREATE EXTENSION arms, and pg_upgrade keeps it.
Example: SELECT pgq.arm()$$;

CREATE FUNCTION pgq.is_armed() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'is_armed_wrapper';
COMMENT ON FUNCTION pgq.is_armed() IS 'Whether the schedules of this database tick: see pgq.arm. Internal: read pgq.health.';
-- Seeing: plain reads, without a line of Rust.

CREATE FUNCTION pgq.payload_text(payload bytea) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'payload_text_wrapper';
COMMENT ON FUNCTION pgq.payload_text(bytea) IS
$$A payload as text; NULL where it is not UTF-8.
Example: SELECT id, pgq.payload_text(payload) FROM pgq.jobs$$;

CREATE FUNCTION pgq.payload_json(payload bytea) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'payload_json_wrapper';
COMMENT ON FUNCTION pgq.payload_json(bytea) IS
$$A payload as JSON; NULL where it is not JSON.
Example: SELECT id, pgq.payload_json(payload)->>'url' FROM pgq.jobs$$;

CREATE FUNCTION pgq.caller() RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'caller_wrapper';
COMMENT ON FUNCTION pgq.caller() IS
    'The role in whose name the session works (the login role, or that of SET ROLE), also inside a SECURITY DEFINER function. Internal.';

CREATE FUNCTION pgq.status(
    ids bigint[], OUT id bigint, OUT status pgq.job_status, OUT attempts int, OUT error jsonb, OUT finished_at timestamptz
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH asked AS (
        SELECT DISTINCT a.id FROM pg_catalog.unnest($1) AS a(id) WHERE a.id IS NOT NULL
    ), seen AS (
        SELECT a.id,
               v.status AS live, v.attempts AS live_attempts, j.producer AS live_producer,
               l.outcome, l.attempts AS log_attempts, l.error, l.finished, l.producer AS log_producer
          FROM asked AS a
          LEFT JOIN pgq.job AS j ON j.id = a.id
          LEFT JOIN pgq.jobs AS v ON v.id = j.id
          LEFT JOIN LATERAL (
               SELECT l.outcome, l.attempts, l.error, l.finished, l.producer
                 FROM pgq.job_log AS l WHERE l.job_id = a.id ORDER BY l.finished DESC LIMIT 1) AS l ON true
    )
    SELECT s.id, coalesce(s.live, s.outcome), coalesce(s.live_attempts, s.log_attempts), s.error,
           CASE WHEN s.live IS NULL OR s.live = 'failed' THEN s.finished END
      FROM seen AS s
     WHERE coalesce(s.live, s.outcome) IS NOT NULL
       AND (coalesce(s.live_producer, s.log_producer) = pgq.caller()
            OR pg_catalog.has_table_privilege(pgq.caller(), 'pgq.job_log', 'SELECT'))
     ORDER BY s.id
$$;
COMMENT ON FUNCTION pgq.status(bigint[]) IS
$$What live and ended jobs are: status, attempts before the last one, the last error, and when it ended.

ids: the jobs. Unknown ones are left out; so are, for a role that is only a producer, jobs that it did not enqueue.

Example: SELECT * FROM pgq.status('{1,2}')$$;

CREATE FUNCTION pgq.queue_size(OUT entrypoint text, OUT priority int, OUT status pgq.job_status, OUT count bigint)
RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.entrypoint, j.priority, j.status, pg_catalog.count(*)
      FROM pgq.jobs AS j GROUP BY 1, 2, 3 ORDER BY 1, 2 DESC, 3
$$;
COMMENT ON FUNCTION pgq.queue_size() IS
$$How many live jobs there are. Reads the whole queue.
Example: SELECT * FROM pgq.queue_size()$$;

CREATE FUNCTION pgq.throughput(
    period interval DEFAULT '1 hour',
    OUT entrypoint text, OUT status pgq.job_status, OUT minute timestamptz, OUT count bigint
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.entrypoint, l.outcome, pg_catalog.date_trunc('minute', l.finished), pg_catalog.count(*)
      FROM pgq.job_log AS l
     WHERE l.finished > pg_catalog.now() - $1 AND l.outcome NOT IN ('retried', 'released')
     GROUP BY 1, 2, 3 ORDER BY 3, 1, 2
$$;
COMMENT ON FUNCTION pgq.throughput(interval) IS
$$Ended jobs of the last period, by entrypoint, status and minute.
Example: SELECT * FROM pgq.throughput('10 min')$$;

CREATE FUNCTION pgq.latency(
    period interval DEFAULT '1 hour', OUT entrypoint text, OUT count bigint,
    OUT wait_p50 interval, OUT wait_p95 interval, OUT wait_p99 interval, OUT wait_max interval,
    OUT run_p50 interval, OUT run_p95 interval, OUT run_p99 interval, OUT run_max interval
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.entrypoint, l.jobs, l.wait[1], l.wait[2], l.wait[3], l.wait[4], l.run[1], l.run[2], l.run[3], l.run[4]
      FROM (SELECT l.entrypoint, pg_catalog.count(*) AS jobs,
                   pg_catalog.percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY l.picked - l.created) AS wait,
                   pg_catalog.percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY l.finished - l.picked) AS run
              FROM pgq.job_log AS l
             WHERE l.finished > pg_catalog.now() - $1 AND l.outcome = 'successful'
             GROUP BY l.entrypoint) AS l
     ORDER BY l.entrypoint
$$;
COMMENT ON FUNCTION pgq.latency(interval) IS
$$Successful jobs of the last period, by entrypoint: how long they waited for their last claim, and how long it took then.
Example: SELECT entrypoint, wait_p95, run_p95 FROM pgq.latency()$$;
-- Health of the server: the library, the background worker, memory, and what ends or stops sessions. And what the other
-- checks ask memory for.

CREATE FUNCTION pgq.memory_fill(OUT name text, OUT used bigint, OUT room bigint, OUT forgotten bigint)
RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL RESTRICTED ROWS 5 AS 'MODULE_PATHNAME', 'memory_fill_wrapper';
COMMENT ON FUNCTION pgq.memory_fill() IS
    'How full the tables in memory are, and how many entries had to make room for others. Internal: read pgq.health.';

CREATE FUNCTION pgq.worker_state(OUT state text, OUT pid int, OUT since timestamptz)
RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1 AS 'MODULE_PATHNAME', 'worker_state_wrapper';
COMMENT ON FUNCTION pgq.worker_state() IS 'Whether this database has its background worker. Internal: read pgq.health.';

CREATE FUNCTION pgq.library_version() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'library_version_wrapper';
COMMENT ON FUNCTION pgq.library_version() IS 'The version of the library that this session has loaded. Internal: read pgq.health.';

CREATE FUNCTION pgq.health_of_server(full_enough float8 DEFAULT 0.5, OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH fill AS MATERIALIZED (
        SELECT f.name, f.used, f.room, f.forgotten FROM pgq.memory_fill() AS f
    ), worker AS MATERIALIZED (
        SELECT w.state, w.pid, w.since FROM pgq.worker_state() AS w
    ), stalled AS MATERIALIZED (
        -- Nobody but PostgreSQL itself knows who listens and how far each has read. One in the middle of a transaction reads nothing,
        -- nor does one whose client takes nothing.
        SELECT a.pid, pg_catalog.format('process %s (user %s, application "%s", database %s, %s since %s)', a.pid, a.usename, a.application_name,
                                        a.datname, a.state, pg_catalog.date_trunc('second', a.state_change)) AS who
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
           AND (a.xact_start IS NOT NULL OR a.wait_event = 'ClientWrite')
         ORDER BY coalesce(a.xact_start, a.state_change) LIMIT 1
    ), timeouts AS MATERIALIZED (
        SELECT pg_catalog.format('%s for this session', t.value) AS name
          FROM (SELECT pg_catalog.current_setting('idle_session_timeout', true)) AS t(value) WHERE t.value <> '0'
        UNION ALL
        SELECT pg_catalog.format('%s for %s', pg_catalog.split_part(c.line, '=', 2),
                                 coalesce('role ' || r.rolname, 'all roles') || CASE WHEN s.setdatabase <> 0 THEN ' in this database' ELSE '' END)
          FROM pg_catalog.pg_db_role_setting AS s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c(line)
          LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
         WHERE c.line LIKE 'idle_session_timeout=%' AND c.line <> 'idle_session_timeout=0'
           AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()))
    )
    SELECT 'preload', EXISTS (SELECT FROM fill) OR pg_catalog.pg_is_in_recovery(),
           CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'this is a standby' WHEN EXISTS (SELECT FROM fill) THEN 'the library is preloaded'
                ELSE 'the library is not preloaded: jobs can be enqueued and not claimed' END,
           'Add the line shared_preload_libraries = ''pgqueuer'' to postgresql.conf (after a comma if it names others) and restart the server.'
    UNION ALL
    SELECT 'version', e.extversion = pgq.library_version(),
           pg_catalog.format('extension %s, library %s', e.extversion, pgq.library_version()),
           'Run ALTER EXTENSION pgqueuer UPDATE, or restart the server if the library was replaced.'
      FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pgqueuer'
    UNION ALL
    SELECT 'background worker', w.state IN ('running', 'resting') OR w.state = 'starting' AND w.since > pg_catalog.now() - interval '1 min',
           CASE w.state WHEN 'running' THEN pg_catalog.format('process %s since %s', w.pid, w.since)
                        WHEN 'resting' THEN 'comes when there is something to do' WHEN 'starting' THEN 'is being started'
                        WHEN 'excluded' THEN 'settings leave this database out, or it is a template'
                        WHEN 'refused' THEN 'the server has no place for one: max_worker_processes are all taken'
                        WHEN 'no launcher' THEN 'the server has no launcher, or no place for one: max_worker_processes are all taken'
                        ELSE w.state END,
           CASE w.state WHEN 'excluded' THEN 'See pgqueuer.enabled and pgqueuer.databases.'
                        ELSE 'Raise max_worker_processes and restart the server; pgqueuer.max_background_workers says how many of them are ours.' END
      FROM worker AS w
    UNION ALL
    SELECT f.name, f.used < f.room * 7 / 8 AND f.forgotten = 0,
           pg_catalog.format('%s of %s', f.used, f.room)
               || CASE WHEN f.forgotten > 0 THEN pg_catalog.format(', %s had to make room for others', f.forgotten) ELSE '' END,
           pg_catalog.format('Raise %s and restart the server.',
               CASE f.name WHEN 'claims' THEN 'pgqueuer.max_claims' WHEN 'named workers' THEN 'pgqueuer.max_named_workers'
                           WHEN 'entrypoints' THEN 'pgqueuer.max_entrypoints' ELSE 'max_connections' END)
      FROM fill AS f
    UNION ALL
    SELECT 'notification queue', pg_catalog.pg_notification_queue_usage() < $1,
           pg_catalog.format('%s %% full', pg_catalog.round(100 * pg_catalog.pg_notification_queue_usage()::numeric, 1))
               || coalesce((SELECT ', waits perhaps for ' || s.who FROM stalled AS s WHERE pg_catalog.pg_notification_queue_usage() >= $1), ''),
           'Everybody who listens must have read what is in it. End the session that listens and does not read'
               || coalesce((SELECT pg_catalog.format(': SELECT pg_terminate_backend(%s)', s.pid) FROM stalled AS s),
                           ', the one with the oldest transaction') || '.'
    UNION ALL
    SELECT 'idle_session_timeout', t.names IS NULL, coalesce(t.names, '0'),
           'Workers wait in their sessions, and run long jobs in them. Set it to 0 for their roles: ALTER ROLE name SET idle_session_timeout = 0.'
      FROM (SELECT pg_catalog.string_agg(t.name, ', ' ORDER BY t.name) AS names FROM timeouts AS t) AS t
$$;
COMMENT ON FUNCTION pgq.health_of_server(float8) IS
$$Checks of the server. full_enough: how much of the notification queue may be in use, of 1. Internal: read pgq.health.$$;
-- Health of the tables: who keeps dead rows from being removed, whether somebody removes them, and how old rows are.

-- Four kinds hold back the removal of dead rows: what they may still see stays. Each is ended in another way.
CREATE FUNCTION pgq.snapshot_holders(OUT age bigint, OUT since timestamptz, OUT who text, OUT hint text) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    -- Of another database only what counts for all. A VACUUM holds back no other.
    SELECT greatest(pg_catalog.age(a.backend_xmin), pg_catalog.age(a.backend_xid))::bigint, a.xact_start,
           pg_catalog.format('process %s (user %s, application "%s", %s since %s)', a.pid, a.usename, a.application_name,
                             coalesce(a.state, a.backend_type), pg_catalog.date_trunc('second', a.xact_start)),
           pg_catalog.format('End its transaction, or the session: SELECT pg_terminate_backend(%s).', a.pid)
      FROM pg_catalog.pg_stat_activity AS a
     WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.pid <> pg_catalog.pg_backend_pid()
       AND coalesce(a.datname, pg_catalog.current_database()) = pg_catalog.current_database() AND a.backend_type <> 'walsender'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
    UNION ALL
    SELECT greatest(pg_catalog.age(s.xmin), pg_catalog.age(s.catalog_xmin)), NULL,
           pg_catalog.format('replication slot %I (%s, %s)', s.slot_name, s.slot_type,
                             coalesce('in use by process ' || s.active_pid, 'in use by nobody')),
           CASE WHEN s.active_pid IS NULL THEN pg_catalog.format('If nobody comes back to it: SELECT pg_drop_replication_slot(%L).', s.slot_name)
                WHEN s.slot_type = 'physical' THEN 'End the oldest query on the standby that uses it, or set hot_standby_feedback = off there.'
                ELSE 'See why its reader does not get on.' END
      FROM pg_catalog.pg_replication_slots AS s WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
    UNION ALL
    SELECT pg_catalog.age(p.transaction), p.prepared,
           pg_catalog.format('prepared transaction %L (user %s, since %s)', p.gid, p.owner, pg_catalog.date_trunc('second', p.prepared)),
           pg_catalog.format('COMMIT PREPARED %1$L, or ROLLBACK PREPARED %1$L.', p.gid)
      FROM pg_catalog.pg_prepared_xacts AS p WHERE p.database = pg_catalog.current_database()
    UNION ALL
    SELECT pg_catalog.age(r.backend_xmin), NULL,
           pg_catalog.format('standby "%s" (%s, by hot_standby_feedback)', r.application_name, coalesce(pg_catalog.host(r.client_addr), 'local')),
           'End the oldest query on that standby (see pg_stat_activity there), or set hot_standby_feedback = off there.'
      FROM pg_catalog.pg_stat_replication AS r WHERE r.backend_xmin IS NOT NULL
$$;
COMMENT ON FUNCTION pgq.snapshot_holders() IS
    'Who may still see rows that are gone for everybody else, how many transactions ago that began, and how to end it. Internal: read pgq.health.';

CREATE FUNCTION pgq.health_of_rows(
    transactions bigint DEFAULT 10000000, longest interval DEFAULT '1 day', dead bigint DEFAULT 1000000, age bigint DEFAULT 1000000000,
    OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 4 SET search_path = pg_catalog, pg_temp AS $$
    WITH holder AS MATERIALIZED (
        SELECT h.age, h.since, h.who, h.hint FROM pgq.snapshot_holders() AS h ORDER BY h.age DESC, h.since LIMIT 1
    ), rows AS MATERIALIZED (
        SELECT pg_catalog.pg_stat_get_dead_tuples(t.oid) AS dead, pg_catalog.pg_stat_get_live_tuples(t.oid) AS live,
               greatest(pg_catalog.pg_stat_get_last_vacuum_time(t.oid), pg_catalog.pg_stat_get_last_autovacuum_time(t.oid)) AS vacuumed
          FROM (SELECT 'pgq.job'::pg_catalog.regclass) AS t(oid)
    ), switches AS MATERIALIZED (
        SELECT 'autovacuum is off' AS name, 'ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf()' AS remedy
         WHERE pg_catalog.current_setting('autovacuum') = 'off'
        UNION ALL
        SELECT 'track_counts is off: autovacuum knows of no work', 'ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf()'
         WHERE pg_catalog.current_setting('track_counts') = 'off'
        UNION ALL
        SELECT pg_catalog.format('autovacuum is off for pgq.%I', c.relname),
               pg_catalog.format('ALTER TABLE pgq.%I RESET (autovacuum_enabled, toast.autovacuum_enabled)', c.relname)
          FROM pg_catalog.pg_class AS c LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
         WHERE c.relnamespace = 'pgq'::pg_catalog.regnamespace AND c.relkind = 'r'
           AND EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions || t.reloptions) AS o
                        WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean)
    ), oldest AS MATERIALIZED (
        SELECT greatest(pg_catalog.age(c.relfrozenxid), pg_catalog.mxid_age(c.relminmxid)) AS age, coalesce(m.relname, c.relname) AS name
          FROM pg_catalog.pg_class AS c LEFT JOIN pg_catalog.pg_class AS m ON m.reltoastrelid = c.oid
         WHERE c.relkind IN ('r', 't') AND coalesce(m.relnamespace, c.relnamespace) = 'pgq'::pg_catalog.regnamespace
         ORDER BY 1 DESC, 2 LIMIT 1
    )
    SELECT 'oldest snapshot', coalesce((SELECT h.age < $1 AND (h.since > pg_catalog.now() - $2 OR h.since IS NULL) FROM holder AS h), true),
           coalesce((SELECT pg_catalog.format('%s transactions old, held by %s', h.age, h.who) FROM holder AS h), 'none but this one'),
           (SELECT h.hint FROM holder AS h) || ' Dead rows of finished jobs cannot be removed meanwhile.'
    UNION ALL
    SELECT 'dead rows', r.dead < $3 + 10 * r.live,
           pg_catalog.format('%s dead, %s live in pgq.job, vacuumed %s', r.dead, r.live,
                             coalesce(pg_catalog.date_trunc('second', r.vacuumed)::text, 'never')),
           'See the checks "oldest snapshot" and "autovacuum"; where they are well: VACUUM pgq.job.'
      FROM rows AS r
    UNION ALL
    SELECT 'autovacuum', s.names IS NULL, coalesce(s.names, 'on for all tables of the queue'), s.remedies || '.'
      FROM (SELECT pg_catalog.string_agg(s.name, ', ' ORDER BY s.name) AS names, pg_catalog.string_agg(s.remedy, '; ' ORDER BY s.name) AS remedies
              FROM switches AS s) AS s
    UNION ALL
    SELECT 'transaction ids', o.age < $4, pg_catalog.format('the oldest row may be %s transactions old, in pgq.%I', o.age, o.name),
           pg_catalog.format('See the checks "oldest snapshot" and "autovacuum"; where they are well: VACUUM (FREEZE) pgq.%I. '
                             'The server stops at 2,000,000,000.', o.name)
      FROM oldest AS o
$$;
COMMENT ON FUNCTION pgq.health_of_rows(bigint, interval, bigint, bigint) IS
$$Checks of dead and old rows. transactions, longest: how old a snapshot may be. dead: how many rows may be dead, and ten for each that lives.
age: of how many transactions ago a row may be. Internal: read pgq.health.$$;
-- Health of the jobs: whether they are worked on, and whether those that ended go in their time.

-- The first due job of each entrypoint and priority that nobody holds, four probes of job_claim_idx for each, as in
-- due_jobs.sql; of a thousand of them, should there be more. Planned for tables of any size, as all that reads the queue.
CREATE FUNCTION pgq.oldest_due_job(OUT id bigint, OUT entrypoint text, OUT due timestamptz) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
    WITH RECURSIVE pair(entrypoint, priority) AS (
        (SELECT j.entrypoint, j.priority FROM pgq.job AS j WHERE j.entrypoint > ''
          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1)
        UNION ALL
        SELECT coalesce(lower.entrypoint, other.entrypoint), coalesce(lower.priority, other.priority)
          FROM pair AS p
          LEFT JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j
                              WHERE j.entrypoint = p.entrypoint AND j.priority < p.priority
                              ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS lower ON true
          LEFT JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j
                              WHERE j.entrypoint > p.entrypoint AND lower.entrypoint IS NULL
                              ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS other ON true
         WHERE coalesce(lower.entrypoint, other.entrypoint) IS NOT NULL
    ), bounded AS MATERIALIZED (
        SELECT p.entrypoint, p.priority FROM pair AS p LIMIT 1000
    )
    SELECT o.id, o.entrypoint, o.due
      FROM bounded AS b
     CROSS JOIN LATERAL (SELECT j.id, j.entrypoint, j.due FROM pgq.job AS j
                          WHERE j.entrypoint = b.entrypoint AND j.priority = b.priority AND j.due <= pg_catalog.now()
                            AND j.id NOT IN (SELECT c.id FROM pgq.claims() AS c)
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS o
     ORDER BY o.due, o.id LIMIT 1
$$;
COMMENT ON FUNCTION pgq.oldest_due_job() IS 'The job that has been due for the longest time and that nobody holds. Internal: read pgq.health.';

-- The library registers the setting, so it is loaded first: a session that has not used the queue does not know it.
CREATE FUNCTION pgq.retention(setting text) RETURNS interval
LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN pgq.library_version() IS NOT NULL THEN nullif(pg_catalog.current_setting(setting, true)::interval, '0') END
$$;
COMMENT ON FUNCTION pgq.retention(text) IS 'How long something is kept, by a setting; NULL for ever. Internal.';

CREATE FUNCTION pgq.overdue_log(OUT slot int, OUT due timestamptz, OUT late interval, OUT who text, OUT hint text) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
    WITH tables AS MATERIALIZED (
        -- Those that are not written any more, and that which is written for too long.
        SELECT t.slot, CASE WHEN t.slot = r.current THEN r.since + k.kept / 7 ELSE r.left_at[t.slot + 1] + k.kept END AS due,
               t.slot = r.current AS written
          FROM pgq.log_ring AS r
         CROSS JOIN (SELECT pg_catalog.make_interval(secs => extract(epoch FROM pgq.retention('pgqueuer.log_retention')))) AS k(kept)
         CROSS JOIN pg_catalog.generate_series(0, 7) AS t(slot)
    ), first AS MATERIALIZED (
        SELECT t.slot, t.due, t.written FROM tables AS t WHERE t.due < pg_catalog.now() ORDER BY t.due, t.slot LIMIT 1
    ), holder AS MATERIALIZED (
        SELECT a.pid, p.gid, a.xact_start,
               CASE WHEN p.gid IS NULL
                    THEN pg_catalog.format('process %s (user %s, application "%s", %s since %s)', a.pid, a.usename, a.application_name,
                                           coalesce(a.state, a.backend_type), pg_catalog.date_trunc('second', a.xact_start))
                    ELSE pg_catalog.format('prepared transaction %L (user %s, since %s)', p.gid, p.owner, pg_catalog.date_trunc('second', p.prepared))
               END AS who
          FROM first AS f
          JOIN pg_catalog.pg_locks AS l ON l.relation = pg_catalog.format('pgq.job_log_%s', f.slot)::pg_catalog.regclass
          LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
          -- A prepared transaction has no process; its locks tell which it is by the one on its own number.
          LEFT JOIN pg_catalog.pg_locks AS n ON l.pid IS NULL AND n.pid IS NULL AND n.locktype = 'transactionid'
                                            AND n.virtualtransaction = l.virtualtransaction
          LEFT JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = n.transactionid
         WHERE l.granted AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() AND NOT f.written
           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
         ORDER BY coalesce(a.xact_start, p.prepared) LIMIT 1
    )
    SELECT f.slot, f.due, pg_catalog.now() - f.due, h.who,
           CASE WHEN h.gid IS NOT NULL THEN pg_catalog.format('COMMIT PREPARED %1$L, or ROLLBACK PREPARED %1$L.', h.gid)
                WHEN h.pid IS NOT NULL THEN pg_catalog.format('End its transaction, or the session: SELECT pg_terminate_backend(%s).', h.pid)
                ELSE 'See the check "background worker", and the server''s log.' END
      FROM first AS f LEFT JOIN holder AS h ON true
$$;
COMMENT ON FUNCTION pgq.overdue_log() IS 'The table of the log''s ring that should have been emptied first, since when, and who is in the way. Internal: read pgq.health.';

CREATE FUNCTION pgq.health_of_jobs(
    waiting interval DEFAULT '15 min', late interval DEFAULT NULL, OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 3 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    WITH oldest AS MATERIALIZED (
        SELECT o.id, o.entrypoint, o.due,
               EXISTS (SELECT FROM pgq.entrypoints AS e WHERE e.entrypoint = o.entrypoint AND e.paused) AS paused
          FROM pgq.oldest_due_job() AS o
    ), kept AS MATERIALIZED (
        SELECT k.log, k.failed, coalesce($2, greatest(least(interval '1 day', k.log / 8), interval '1 min')) AS late_log,
               coalesce($2, greatest(least(interval '1 day', k.failed / 8), interval '1 min')) AS late_failed
          FROM (SELECT pgq.retention('pgqueuer.log_retention'), pgq.retention('pgqueuer.failed_retention')) AS k(log, failed)
    ), held AS MATERIALIZED (
        SELECT pg_catalog.count(*) AS jobs, pg_catalog.min(h.since) AS since
          FROM (SELECT j.execute_after FROM pgq.job AS j WHERE j.held AND j.execute_after >= '-infinity' ORDER BY j.execute_after LIMIT 1000) AS h(since)
    ), overdue AS MATERIALIZED (
        SELECT o.slot, o.due, o.late, o.who, o.hint FROM pgq.overdue_log() AS o
    )
    SELECT 'oldest due job', coalesce((SELECT o.due > pg_catalog.now() - $1 FROM oldest AS o), true),
           coalesce((SELECT pg_catalog.format('job %s of entrypoint %L%s, due since %s', o.id, o.entrypoint, CASE WHEN o.paused THEN ', which is paused' END,
                                              pg_catalog.date_trunc('second', o.due)) FROM oldest AS o), 'none waits'),
           (SELECT CASE WHEN o.paused THEN pg_catalog.format('SELECT pgq.resume(%L).', o.entrypoint)
                        ELSE pg_catalog.format('Start workers of that entrypoint. SELECT pgq.explain(%s) says what it waits for.', o.id) END FROM oldest AS o)
    UNION ALL
    SELECT 'failed jobs', coalesce(h.since >= pg_catalog.now() - k.failed - k.late_failed, true),
           CASE WHEN h.jobs = 0 THEN 'none is held'
                ELSE pg_catalog.format('%s held, the oldest since %s%s', CASE WHEN h.jobs < 1000 THEN h.jobs::text ELSE '1000 or more' END,
                                       pg_catalog.date_trunc('second', h.since), ', and kept for ' || k.failed) END,
           'Those that are older should have been deleted. See the check "background worker", and the server''s log.'
      FROM held AS h CROSS JOIN kept AS k
    UNION ALL
    SELECT 'log retention', coalesce((SELECT o.late < k.late_log FROM overdue AS o), true),
           CASE WHEN k.log IS NULL THEN 'kept for ever' ELSE pg_catalog.format('kept for %s', k.log)
                || coalesce((SELECT pg_catalog.format('; pgq.job_log_%s should have gone at %s', o.slot, pg_catalog.date_trunc('second', o.due))
                                    || coalesce(', is read by ' || o.who, '') FROM overdue AS o), '') END,
           (SELECT o.hint FROM overdue AS o)
      FROM kept AS k
$$;
COMMENT ON FUNCTION pgq.health_of_jobs(interval, interval) IS
$$Checks of jobs, live and ended. waiting: how long a due job may wait. late: by how much retention may lag, NULL for an eighth of it,
at least a minute and at most a day. Internal: read pgq.health.$$;
-- Health of the schedules: whether they tick.

CREATE FUNCTION pgq.health_of_schedules(late interval DEFAULT '1 min', OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text)
RETURNS SETOF record LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
    WITH state AS MATERIALIZED (
        SELECT pgq.is_armed() AS armed, EXISTS (SELECT FROM pgq.schedules) AS any_schedule
    ), late AS MATERIALIZED (
        -- Served by schedules_next_tick_idx, from its start.
        SELECT s.name, s.next_tick, s.note FROM pgq.schedules AS s, state AS t
         WHERE t.armed AND s.next_tick < pg_catalog.clock_timestamp() - $1 ORDER BY s.next_tick, s.id LIMIT 1
    ), ended AS MATERIALIZED (
        SELECT s.name, s.note FROM pgq.schedules AS s WHERE s.enabled AND s.next_tick IS NULL ORDER BY s.id LIMIT 1
    )
    SELECT 'armed', t.armed,
           CASE WHEN t.armed THEN 'schedules tick here' ELSE 'this database was restored or copied from another: no schedule ticks' END,
           'If its schedules are to run here, and not where it was copied from: SELECT pgq.arm().'
      FROM state AS t
    UNION ALL
    SELECT 'schedules', NOT EXISTS (SELECT FROM late) AND NOT EXISTS (SELECT FROM ended),
           coalesce((SELECT pg_catalog.format('%I should have ticked at %s', l.name, l.next_tick) || coalesce(': ' || l.note, '') FROM late AS l),
                    (SELECT pg_catalog.format('%I ticks no more', e.name) || coalesce(': ' || e.note, '') FROM ended AS e),
                    CASE WHEN t.any_schedule THEN 'all of them tick in time' ELSE 'there are none' END),
           CASE WHEN EXISTS (SELECT FROM late)
                THEN 'See the check "background worker"; pgq.schedules says in its column note what was in the way.'
                ELSE 'Change it with pgq.schedule, or remove it with pgq.unschedule.' END
      FROM state AS t
$$;
COMMENT ON FUNCTION pgq.health_of_schedules(interval) IS
$$Checks of the schedules. late: how long after its time a tick is late. Internal: read pgq.health.$$;
-- Health: what an operator should know, each check one row. The checks are in the files before this one.

CREATE FUNCTION pgq.health(OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT h."check", h.ok, h.detail, CASE WHEN NOT h.ok THEN h.hint END
      FROM (SELECT s."check", s.ok, s.detail, s.hint FROM pgq.health_of_server() AS s
            UNION ALL
            SELECT r."check", r.ok, r.detail, r.hint FROM pgq.health_of_rows() AS r
            UNION ALL
            -- On a standby an unlogged table cannot be read, not even planned for: asked before the function is called.
            SELECT j."check", j.ok, j.detail, j.hint
              FROM (SELECT j."check", j.ok, j.detail, j.hint FROM pgq.health_of_jobs() AS j
                    UNION ALL
                    SELECT s."check", s.ok, s.detail, s.hint FROM pgq.health_of_schedules() AS s) AS j
             WHERE (SELECT NOT pg_catalog.pg_is_in_recovery()
                           OR NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                                           WHERE c.oid IN ('pgq.job'::pg_catalog.regclass, 'pgq.entrypoints'::pg_catalog.regclass,
                                                           'pgq.schedules'::pg_catalog.regclass, 'pgq.installation'::pg_catalog.regclass,
                                                           'pgq.log_ring'::pg_catalog.regclass) AND c.relpersistence = 'u'))) AS h
$$;
COMMENT ON FUNCTION pgq.health() IS
$$One row for each thing that an operator should know: whether it is well, what was found, and, where it is not well, what to do.
Reads no more than the first job of each entrypoint and priority.
Example: SELECT * FROM pgq.health() WHERE NOT ok$$;
-- Why a job is not running.

CREATE FUNCTION pgq.explain(id bigint) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'explain_wrapper';
COMMENT ON FUNCTION pgq.explain(bigint) IS
$$Why a job is not running, in a sentence or two, and what would make it run. Where several things stand in its way, the
first of them. Times are shown in the session's time zone.

id: the job. A role that is only a producer is told of jobs that it enqueued.

Error: 22023 where id is NULL.
Example: SELECT pgq.explain(1)$$;
-- Numbers for a monitoring system.

CREATE FUNCTION pgq.metrics() RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'metrics_wrapper';
COMMENT ON FUNCTION pgq.metrics() IS
$$Metrics of this database's queue in Prometheus' text format. Counters begin at 0 with the server. Waiting jobs are counted up
to a bound, so that a long queue costs no more than a short one.

Where the library is not preloaded, and on a standby, what memory tells is left out.

Errors: none of its own.
Example: SELECT pgq.metrics()$$;
-- Rights. Nobody has any until one of these functions gives them; functions are private unless they are named here.

DO $$
BEGIN
    EXECUTE (SELECT pg_catalog.string_agg(pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC;', p.oid::pg_catalog.regprocedure), ' ')
               FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'pgq'::pg_catalog.regnamespace);
    REVOKE ALL ON TYPE pgq.job_status FROM PUBLIC;
END
$$;

CREATE FUNCTION pgq.give(role text, functions text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    signature regprocedure;
BEGIN
    IF role IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = give.role) THEN
        RAISE EXCEPTION 'role % does not exist', coalesce(pg_catalog.quote_ident(role), 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'Create the role first: CREATE ROLE name.';
    END IF;
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA pgq TO %I', role);
    FOR signature IN
        SELECT p.oid FROM pg_catalog.pg_proc AS p
         WHERE p.pronamespace = 'pgq'::pg_catalog.regnamespace AND p.proname = ANY (functions)
    LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %I', signature, role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pgq.give(text, text[]) IS 'Gives a role the right to call functions, by name. Internal.';

CREATE FUNCTION pgq.grant_producer(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.give(role, '{enqueue,enqueue_many,enqueue_many_text,status,explain,wait_for,wait_for_any,channel,listen,payload_text,payload_json}');
    EXECUTE pg_catalog.format('GRANT INSERT, SELECT (id) ON pgq.jobs TO %I', role);
END
$$;
COMMENT ON FUNCTION pgq.grant_producer(text) IS
$$Lets a role enqueue (by function, INSERT and COPY) and see the status of what it enqueued. It reads no payload.
Error: 42704 where there is no such role.
Example: SELECT pgq.grant_producer('shop')$$;

CREATE FUNCTION pgq.grant_worker(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.give(role, '{dequeue,complete,complete_many,fail,retry,finish,release,heartbeat,attach,wait,listen,channel,queue_size,payload_text,payload_json}');
END
$$;
COMMENT ON FUNCTION pgq.grant_worker(text) IS
$$Lets a role claim jobs, of any entrypoint, end its claims, and see how many jobs there are.
Error: 42704 where there is no such role.
Example: SELECT pgq.grant_worker('mailer')$$;

CREATE FUNCTION pgq.grant_monitor(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.give(role, '{status,explain,queue_size,throughput,latency,health,metrics,payload_text,payload_json,channel,listen,claims,attempt_ended,known_workers,cron_next,is_armed}');
    EXECUTE pg_catalog.format('GRANT SELECT ON pgq.jobs, pgq.job, pgq.job_log, pgq.entrypoints, pgq.workers, pgq.schedules TO %I', role);
END
$$;
COMMENT ON FUNCTION pgq.grant_monitor(text) IS
$$Lets a role look at everything, payloads included, and change nothing.
Error: 42704 where there is no such role.
Example: SELECT pgq.grant_monitor('grafana')$$;

CREATE FUNCTION pgq.grant_admin(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.grant_producer(role), pgq.grant_worker(role), pgq.grant_monitor(role);
    PERFORM pgq.give(role, '{cancel,delete,clear,requeue,reschedule,pause,resume,configure,schedule,unschedule,pause_schedule,resume_schedule,arm,set_durability,grant_producer,grant_worker,grant_monitor,grant_admin,revoke_all}');
END
$$;
COMMENT ON FUNCTION pgq.grant_admin(text) IS
$$Lets a role do everything: produce, work, look, control, and give these rights to others.
Error: 42704 where there is no such role.
Example: SELECT pgq.grant_admin('ops')$$;

CREATE FUNCTION pgq.revoke_all(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.give(role, '{}');
    EXECUTE pg_catalog.format(
        'REVOKE ALL ON ALL ROUTINES IN SCHEMA pgq FROM %1$I; REVOKE ALL ON ALL TABLES IN SCHEMA pgq FROM %1$I; '
        'REVOKE ALL (id) ON pgq.jobs FROM %1$I; REVOKE ALL ON ALL SEQUENCES IN SCHEMA pgq FROM %1$I; '
        'REVOKE ALL ON SCHEMA pgq FROM %1$I', role);
END
$$;
COMMENT ON FUNCTION pgq.revoke_all(text) IS
$$Takes from a role every right that the pgq.grant_... functions gave it.
Error: 42704 where there is no such role.
Example: SELECT pgq.revoke_all('shop')$$;
-- How much of the queue survives a crash of the server.

CREATE FUNCTION pgq.set_durability(level text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    IF level IS NULL OR level NOT IN ('durable', 'balanced', 'volatile') THEN
        RAISE EXCEPTION 'level must be a durability level, not %', coalesce('"' || level || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Allowed are "durable", "balanced" and "volatile".';
    END IF;
    FOREACH name IN ARRAY '{job_log_0,job_log_1,job_log_2,job_log_3,job_log_4,job_log_5,job_log_6,job_log_7}'::text[] LOOP
        PERFORM pgq.set_logged(name, level = 'durable');
    END LOOP;
    FOREACH name IN ARRAY '{job,entrypoints,schedules,log_ring,receipt}'::text[] LOOP
        PERFORM pgq.set_logged(name, level <> 'volatile');
    END LOOP;
END
$$;
COMMENT ON FUNCTION pgq.set_durability(text) IS
$$What survives a crash of the server. level: durable for everything; balanced for jobs and settings, not the log; volatile for
nothing. Rewrites the tables it changes and keeps their rows; others wait meanwhile. A dump does not carry the level.
Error: 22023 for another word.
Example: SELECT pgq.set_durability('balanced')$$;

CREATE FUNCTION pgq.set_logged(name text, logged boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c
                WHERE c.oid = pg_catalog.format('pgq.%I', name)::pg_catalog.regclass
                  AND (c.relpersistence = 'p') <> logged) THEN
        EXECUTE pg_catalog.format('ALTER TABLE pgq.%I SET %s', name, CASE WHEN logged THEN 'LOGGED' ELSE 'UNLOGGED' END);
    END IF;
END
$$;
COMMENT ON FUNCTION pgq.set_logged(text, boolean) IS 'Makes a table of the queue logged or unlogged, unless it is. Internal.';

REVOKE ALL ON FUNCTION pgq.give(text, text[]), pgq.grant_producer(text), pgq.grant_worker(text), pgq.grant_monitor(text),
    pgq.grant_admin(text), pgq.revoke_all(text), pgq.set_durability(text), pgq.set_logged(text, boolean) FROM PUBLIC;
-- The last word of the installation: says so where the library is not preloaded.

CREATE FUNCTION pgq.installed() RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'installed_wrapper';
REVOKE ALL ON FUNCTION pgq.installed() FROM PUBLIC;
COMMENT ON FUNCTION pgq.installed() IS 'Warns where the library is not preloaded. Internal: called by CREATE EXTENSION.';
SELECT pgq.installed();
