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
