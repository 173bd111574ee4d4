-- Strikes out the receipts of some jobs, as far as nobody else has locked them. Returns how many.
-- Called by: lease/receipt.rs. Parameters: ids. Index: primary key, one probe a job. Locks: rows, without waiting.
WITH struck AS (
    DELETE FROM pgq.receipt AS r
     WHERE r.job_id IN (SELECT l.job_id FROM pgq.receipt AS l WHERE l.job_id = ANY ($1::bigint[])
                         ORDER BY l.job_id FOR UPDATE SKIP LOCKED)
    RETURNING 1
)
SELECT count(*) FROM struck
