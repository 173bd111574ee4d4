-- Writes receipts; one of an earlier attempt at the same job is written over.
-- Called by: lease/receipt.rs. Parameters: ids, attempts, created, workers, whether they are sessions, picked, leases.
INSERT INTO pgq.receipt (job_id, attempt, created, worker, session, picked, lease)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::uuid[], $5::boolean[], $6::timestamptz[], $7::bigint[])
    ON CONFLICT (job_id) DO UPDATE
       SET attempt = excluded.attempt, created = excluded.created, worker = excluded.worker, session = excluded.session,
           picked = excluded.picked, lease = excluded.lease
