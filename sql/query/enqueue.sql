-- Inserts one job and returns its id and times.
-- Called by: job/enqueue.rs, for pgq.enqueue and for INSERT and COPY into pgq.jobs.
-- Parameters: now, entrypoint, payload, priority, execute_after, delay, dedupe_key, headers, ordering_key, producer, created.
-- Indexes: all of pgq.job, once each. Locks: none beyond the row; waits for another transaction that inserts the key.
INSERT INTO pgq.job (id, created, due, execute_after, priority, entrypoint, producer, dedupe_key, ordering_key, payload, headers)
VALUES (nextval('pgq.job_id_seq'), coalesce($11, $1), greatest(coalesce($11, $1), $5, $1 + $6), coalesce($5, $1 + $6),
        $4, $2, $10, $7, $9, $3, $8)
RETURNING id, created, execute_after, due
