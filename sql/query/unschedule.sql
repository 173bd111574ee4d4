-- Removes a schedule.
-- Called by: schedule/mod.rs. Parameter: name. Index: schedules_name_key. Locks: the row.
DELETE FROM pgq.schedules AS s WHERE s.name = $1 RETURNING s.id
