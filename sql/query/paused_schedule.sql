-- What decides when a paused schedule ticks next.
-- Called by: schedule/mod.rs. Parameter: name. Index: schedules_name_key. Locks: the row.
SELECT s.cron, s.timezone FROM pgq.schedules AS s WHERE s.name = $1 AND NOT s.enabled FOR UPDATE
