-- All schedules, to be made those of this installation.
-- Called by: schedule/arm.rs. Reads all schedules. Locks: their rows, in the order of their ids.
WITH locked AS MATERIALIZED (SELECT s.id FROM pgq.schedules AS s ORDER BY s.id FOR UPDATE)
UPDATE pgq.schedules AS s SET installation = i.id
  FROM pgq.installation AS i, locked AS l WHERE s.id = l.id
RETURNING s.id, s.cron, s.timezone, s.enabled
