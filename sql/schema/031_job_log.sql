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
