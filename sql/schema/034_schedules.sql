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
-- A row that changes needs one where somebody publishes all tables, or pgq.arm would be refused.
ALTER TABLE pgq.installation REPLICA IDENTITY FULL;

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
