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
