-- Takes the ticks of schedules.
-- Called by: schedule/fire.rs and schedule/arm.rs. Parameters: ids, next ticks, last ticks and last jobs (NULL: as they were), notes.
-- Index: the primary key of pgq.schedules. Locks: the rows, which the caller has locked.
UPDATE pgq.schedules AS s
   SET next_tick = a.next_tick, last_tick = coalesce(a.last_tick, s.last_tick), last_job = coalesce(a.last_job, s.last_job),
       note = a.note
  FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::text[])
       AS a(id, next_tick, last_tick, last_job, note)
 WHERE s.id = a.id
