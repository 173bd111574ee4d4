-- queued, picked and failed are states of a live job; the others say how an attempt or a job ended.
CREATE TYPE pgq.job_status AS ENUM (
    'queued', 'picked', 'failed',
    'successful', 'exception', 'canceled', 'deleted', 'retried', 'released'
);
COMMENT ON TYPE pgq.job_status IS
    'What a job is (queued, picked, failed) or how an attempt or a job ended (successful, exception, failed, canceled, deleted, retried, released).';
