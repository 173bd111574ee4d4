-- Of some dedupe keys those that a job here has. $1 keys.
-- Index: job_dedupe_key_idx.
SELECT coalesce(array_agg(k.key), '{}')
  FROM unnest($1::text[]) AS k(key)
 WHERE EXISTS (SELECT FROM pgq.job AS j WHERE j.dedupe_key = k.key AND NOT j.held)
