-- For each entrypoint and priority: whether jobs fell due in a stretch of time (the first of them), and when the next does.
-- Called by: background/alarm.rs. Parameters: after, up to and including now.
-- Index: job_claim_idx, four probes for each entrypoint and priority; no row in between is read.
WITH RECURSIVE pair(entrypoint, priority) AS (
    (SELECT j.entrypoint, j.priority FROM pgq.job AS j WHERE j.entrypoint > ''
      ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1)
    UNION ALL
    SELECT coalesce(lower.entrypoint, other.entrypoint), coalesce(lower.priority, other.priority)
      FROM pair AS p
      LEFT JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j
                          WHERE j.entrypoint = p.entrypoint AND j.priority < p.priority
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS lower ON true
      LEFT JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j
                          WHERE j.entrypoint > p.entrypoint AND lower.entrypoint IS NULL
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS other ON true
     WHERE coalesce(lower.entrypoint, other.entrypoint) IS NOT NULL
)
SELECT p.entrypoint,
       (SELECT j.due FROM pgq.job AS j
         WHERE j.entrypoint = p.entrypoint AND j.priority = p.priority
           AND j.due > $1::timestamptz AND j.due <= $2::timestamptz
         ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1),
       (SELECT j.due FROM pgq.job AS j
         WHERE j.entrypoint = p.entrypoint AND j.priority = p.priority
           AND j.due > $2::timestamptz AND j.due < 'infinity'
         ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1)
  FROM pair AS p
