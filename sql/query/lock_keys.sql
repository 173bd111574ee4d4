-- Locks the rows of jobs that have some dedupe keys, waiting for others.
-- Called by: job/enqueue_many.rs, before enqueue_replace.sql. Parameters: dedupe keys.
-- Index: job_dedupe_key_idx, one probe a key. Locks: rows, in the order of their ids as everybody does: those of
-- enqueue_replace.sql come in the order of the keys.
SELECT j.id FROM pgq.job AS j
 WHERE j.dedupe_key = ANY ($1::text[]) AND j.dedupe_key IS NOT NULL AND NOT j.held ORDER BY j.id FOR UPDATE
