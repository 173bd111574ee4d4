-- Locks those rows that nobody else has locked and returns their ids.
-- Called by: job/touched.rs, for jobs whose row an open transaction may have touched: a row that is locked by another
-- transaction in progress is passed over. Parameters: ids.
-- Locks: rows, without waiting.
SELECT j.id FROM pgq.job AS j WHERE j.id = ANY ($1::bigint[]) ORDER BY j.id FOR UPDATE SKIP LOCKED
