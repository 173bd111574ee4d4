-- Empties a table of the log's ring.
-- Called by: background/pruner.rs. Parameters: its number, how long to wait for its lock, milliseconds.
-- Locks: the table, against everybody, until the transaction ends. Whoever reads the log waits for it.
SELECT pgq.empty_log($1::int, $2::int)
