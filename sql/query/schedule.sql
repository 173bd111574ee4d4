-- Makes a schedule or changes the one of that name. Returns its id.
-- Called by: schedule/mod.rs. Parameters: name, cron, timezone, entrypoint, payload, priority, headers, catch_up, overlap,
-- ordering_key, next tick, producer.
-- Indexes: all of pgq.schedules. Locks: the row, for as long as the transaction lasts: the scheduler passes it over; that of
-- pgq.installation, which pgq.arm changes.
INSERT INTO pgq.schedules AS s (id, name, cron, timezone, entrypoint, payload, priority, headers, catch_up, overlap, ordering_key,
                                next_tick, producer, installation)
SELECT nextval('pgq.schedule_id_seq'), $1, $2, $3, $4, $5, $6::int, $7, $8, $9, $10, $11, $12, i.id
  FROM (SELECT i.id FROM pgq.installation AS i FOR SHARE) AS i
ON CONFLICT (name) DO UPDATE
   SET cron = excluded.cron, timezone = excluded.timezone, entrypoint = excluded.entrypoint, payload = excluded.payload,
       priority = excluded.priority, headers = excluded.headers, catch_up = excluded.catch_up, overlap = excluded.overlap,
       ordering_key = excluded.ordering_key, producer = excluded.producer, note = NULL,
       next_tick = CASE WHEN NOT s.enabled THEN NULL
                        WHEN s.cron = excluded.cron AND s.timezone = excluded.timezone AND s.next_tick IS NOT NULL THEN s.next_tick
                        ELSE excluded.next_tick END
RETURNING id
