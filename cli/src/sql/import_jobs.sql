-- Takes jobs over. $1 entrypoints, $2 payloads, $3 priorities, $4 execute_after, $5 dedupe keys, $6 headers, $7 created,
-- $8 attempts, $9 failed, $10 errors, $11 on_conflict.
SELECT pgq.import_jobs($1, $2, $3, $4, $5, $11, $6, NULL, $7, $8, $9, $10)
