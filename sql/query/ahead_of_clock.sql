-- Schedules whose next tick is not soon: should the clock have been set back, they may wait for a time that it showed before.
-- Called by: schedule/fire.rs, at the first look of a life and when the clock was set. Parameter: now.
-- Index: schedules_next_tick_idx, all that is later. Infinity was written by hand, and means it. Locks: those rows that nobody is changing.
SELECT s.id, s.cron, s.timezone, s.last_tick, s.next_tick FROM pgq.schedules AS s
 WHERE s.next_tick > $1::timestamptz + interval '1 min' AND s.next_tick < 'infinity' FOR NO KEY UPDATE OF s SKIP LOCKED
