-- Says why the tick of a schedule was not fired.
-- Called by: schedule/fire.rs. Parameters: id, why. Index: the primary key of pgq.schedules. Locks: the row.
UPDATE pgq.schedules AS s SET note = $2 WHERE s.id = $1 AND s.note IS DISTINCT FROM $2
