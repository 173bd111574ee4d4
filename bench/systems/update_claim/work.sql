-- One turn of a worker, in two transactions: claim a batch, end it. An empty claim gives no row, which ends the client.
WITH claimed AS (
    UPDATE queue.job AS j
       SET status = 'picked', worker = md5(:client_id::text)::uuid, picked = clock_timestamp()
     WHERE j.id IN (SELECT q.id FROM queue.job AS q
                     WHERE q.entrypoint = 'fetch' AND q.status = 'queued' AND q.due <= now()
                     ORDER BY q.priority DESC, q.id FOR UPDATE SKIP LOCKED LIMIT :batch)
    RETURNING j.id, j.payload
)
SELECT array_agg(id) AS ids FROM claimed HAVING count(*) > 0 \gset
WITH ended AS (
    DELETE FROM queue.job AS j WHERE j.id = ANY (:ids::bigint[]) AND j.worker = md5(:client_id::text)::uuid
    RETURNING j.*
)
INSERT INTO queue.job_log (job_id, entrypoint, priority, attempts, worker, outcome, created, picked, finished, producer, slot)
SELECT e.id, e.entrypoint, e.priority, e.attempts, e.worker, 'successful', e.created, e.picked, clock_timestamp(), e.producer, 0
  FROM ended AS e;
