-- Ends the pause of a schedule.
-- Called by: schedule/mod.rs. Parameters: name, next tick. Index: schedules_name_key. Locks: the row.
UPDATE pgq.schedules AS s SET enabled = true, next_tick = $2, note = NULL WHERE s.name = $1 RETURNING s.id
