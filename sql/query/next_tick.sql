-- When the first schedule of this installation ticks.
-- Called by: schedule/fire.rs. Parameter: ids to leave out. Index: schedules_next_tick_idx, from its start.
SELECT s.next_tick FROM pgq.schedules AS s
 WHERE s.next_tick IS NOT NULL AND s.id <> ALL ($1::bigint[])
   AND s.installation = (SELECT i.id FROM pgq.installation AS i)
 ORDER BY s.next_tick, s.id LIMIT 1
