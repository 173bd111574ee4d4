-- Inserts many jobs; where a key is taken by a queued job, rewrites that job in place. Returns every id with its key,
-- its entrypoint and when it is due: a key is unique over all entrypoints, so the job may be of another one.
-- Of two with one key the last counts.
-- Called by: job/enqueue_many.rs, on_conflict is replace.
-- Parameters: as enqueue_many.sql.
-- Locks: the row of the job in the way first (lock_keys.sql has taken those of a batch); only then pgq.claimed looks whether somebody holds it. So of a claimer
-- (who claims first and looks at the row second) and us, at least one sees the other.
INSERT INTO pgq.job AS old (id, created, due, execute_after, priority, entrypoint, producer, dedupe_key, ordering_key, payload, headers)
SELECT j.id, $1, greatest($1, j.execute_after), j.execute_after, coalesce(j.priority, 0), coalesce($11, j.entrypoint), $10,
       j.dedupe_key, j.ordering_key, j.payload, j.headers
  FROM (SELECT g.*, lead(g.id) OVER (PARTITION BY g.dedupe_key ORDER BY g.id) AS later
          FROM unnest($2::bigint[], $3::text[], $4::bytea[], $5::int[], $6::timestamptz[], $7::text[], $8::jsonb[], $9::text[])
               AS g(id, entrypoint, payload, priority, execute_after, dedupe_key, headers, ordering_key)) AS j
 WHERE j.dedupe_key IS NULL OR j.later IS NULL
 ORDER BY j.dedupe_key COLLATE "C", j.id
    ON CONFLICT (dedupe_key) WHERE dedupe_key IS NOT NULL AND NOT held
    DO UPDATE SET payload = excluded.payload, priority = excluded.priority, headers = excluded.headers,
                  execute_after = excluded.execute_after, due = greatest(old.created, excluded.execute_after)
        WHERE NOT pgq.claimed(old.id)
RETURNING old.id, old.dedupe_key, old.entrypoint, old.due
