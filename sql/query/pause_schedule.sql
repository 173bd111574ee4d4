-- Pauses a schedule that is not paused.
-- Called by: schedule/mod.rs. Parameter: name. Index: schedules_name_key. Locks: the row.
UPDATE pgq.schedules AS s SET enabled = false, next_tick = NULL WHERE s.name = $1 AND s.enabled RETURNING s.id
