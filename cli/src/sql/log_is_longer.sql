-- Whether more has ended than log.sql looks through.
-- Index: job_log_job_id_idx of each table of the ring.
SELECT EXISTS (SELECT FROM pgq.job_log AS l ORDER BY l.job_id DESC OFFSET 50000 LIMIT 1)
