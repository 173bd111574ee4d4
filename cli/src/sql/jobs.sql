-- Live jobs, the next one first. $1 entrypoints or NULL, $2 statuses or NULL, $3 limit, $4 the prefix.
-- Reads the table by job_claim_idx: the entrypoints, their priorities (a thousand pairs at most), the first jobs of each. It
-- is served as due_jobs.sql of the extension is. A payload is shown by its beginning: text where it is UTF-8, else
-- hexadecimal; a character that the cut goes through is left out.
WITH RECURSIVE name(entrypoint) AS (
    (SELECT j.entrypoint FROM pgq.job AS j WHERE $1::text[] IS NULL AND j.entrypoint >= $4
      ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1)
    UNION ALL
    SELECT f.entrypoint FROM name AS n
     CROSS JOIN LATERAL (SELECT j.entrypoint FROM pgq.job AS j WHERE j.entrypoint > n.entrypoint
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
     WHERE starts_with(n.entrypoint, $4)
), pair(entrypoint, priority) AS (
    SELECT f.entrypoint, f.priority
      FROM (SELECT n.entrypoint FROM name AS n WHERE starts_with(n.entrypoint, $4) UNION SELECT unnest($1)) AS a
     CROSS JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j WHERE j.entrypoint = a.entrypoint
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
    UNION ALL
    SELECT p.entrypoint, f.priority FROM pair AS p
     CROSS JOIN LATERAL (SELECT j.priority FROM pgq.job AS j WHERE j.entrypoint = p.entrypoint AND j.priority < p.priority
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
), bounded AS MATERIALIZED (
    SELECT p.entrypoint, p.priority FROM pair AS p LIMIT 1000
), found AS (
    SELECT l.id, b.priority, l.due FROM bounded AS b
     CROSS JOIN LATERAL (SELECT j.id, j.due FROM pgq.job AS j
                          WHERE j.entrypoint = b.entrypoint AND j.priority = b.priority AND j.due < 'infinity'
                            AND ($2::text[] IS NULL OR 'picked' = ANY ($2) OR j.id NOT IN (SELECT c.id FROM pgq.claims() AS c))
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT $3) AS l
     WHERE $2 IS NULL OR 'queued' = ANY ($2)
    UNION ALL
    -- Held jobs, and those that are deferred for ever.
    SELECT l.id, b.priority, 'infinity' FROM bounded AS b
     CROSS JOIN LATERAL (SELECT j.id FROM pgq.job AS j
                          WHERE j.entrypoint = b.entrypoint AND j.priority = b.priority AND j.due = 'infinity'
                            AND ($2 IS NULL OR CASE WHEN j.held THEN 'failed' ELSE 'queued' END = ANY ($2))
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT $3) AS l
     WHERE $2 IS NULL OR NOT ARRAY['picked'] @> $2
    UNION ALL
    SELECT j.id, j.priority, j.due FROM pgq.claims() AS c JOIN pgq.job AS j ON j.id = c.id
     WHERE 'picked' = ANY ($2) AND NOT 'queued' = ANY ($2)
       AND ($1 IS NULL OR j.entrypoint = ANY ($1)) AND starts_with(j.entrypoint, $4)
), chosen AS MATERIALIZED (
    SELECT f.id, f.due FROM found AS f ORDER BY f.priority DESC, f.due, f.id LIMIT $3
)
SELECT row_to_json(j)
  FROM (SELECT j.id, substr(j.entrypoint, length($4) + 1) AS entrypoint, j.status,
               coalesce(pgq.payload_text(substring(j.payload FOR 60)), pgq.payload_text(substring(j.payload FOR 59)),
                        pgq.payload_text(substring(j.payload FOR 58)), pgq.payload_text(substring(j.payload FOR 57)),
                        encode(substring(j.payload FOR 30), 'hex')) AS payload_start,
               j.execute_after, j.priority, j.attempts, j.picked, j.worker, j.dedupe_key, j.ordering_key, j.created,
               octet_length(j.payload) AS bytes
          FROM chosen AS c JOIN pgq.jobs AS j ON j.id = c.id
         WHERE starts_with(j.entrypoint, $4)
         ORDER BY j.priority DESC, c.due, j.id) AS j
