-- Makes a schedule that another scheduler has begun with, unless there is one of that name. Returns its id.
-- Called by: schedule/import.rs. Parameters: name, cron, time zone, entrypoint, next tick, last tick, producer.
-- Indexes: all of pgq.schedules. Locks: that row of pgq.installation, which pgq.arm changes.
INSERT INTO pgq.schedules (id, name, cron, timezone, entrypoint, next_tick, last_tick, producer, installation)
SELECT nextval('pgq.schedule_id_seq'), $1, $2, $3, $4, $5, $6, $7, i.id
  FROM (SELECT i.id FROM pgq.installation AS i FOR SHARE) AS i
ON CONFLICT (name) DO NOTHING
RETURNING id
