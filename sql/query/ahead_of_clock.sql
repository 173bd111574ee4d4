-- Schedules that have ticked at a time that is still to come: the clock was set back.
-- Called by: schedule/fire.rs, where it was. Parameter: now. Reads all schedules. Locks: those rows that nobody is changing.
SELECT s.id, s.cron, s.timezone, s.last_tick, s.next_tick FROM pgq.schedules AS s
 WHERE s.last_tick > $1::timestamptz AND s.next_tick > $1::timestamptz FOR NO KEY UPDATE OF s SKIP LOCKED
