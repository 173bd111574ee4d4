-- Writes down the state of the log's ring. Where there is a row, the trigger on the table writes it over.
-- Called by: background/pruner.rs. Parameters: the table that is written, since when, since when each of them is not.
INSERT INTO pgq.log_ring (current, since, left_at) VALUES ($1::int, $2::timestamptz, $3::timestamptz[])
