-- What survives a crash of the server: the word for pgq.set_durability that gives these tables.
SELECT CASE WHEN job.relpersistence = 'u' THEN 'volatile' WHEN log.relpersistence = 'u' THEN 'balanced' ELSE 'durable' END
  FROM pg_class AS job, pg_class AS log
 WHERE job.oid = 'pgq.job'::regclass AND log.oid = 'pgq.job_log_0'::regclass
