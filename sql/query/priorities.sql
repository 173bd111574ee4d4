-- The priorities that rows of some entrypoints have, each within bounds that lie outside of what is asked for.
-- Called by: see/backlog.rs, with the gaps between the priorities that memory knows: where memory knows all, each gap is
-- empty and costs one probe, however many dead entries the known ones have at their head.
-- Parameters: entrypoints, upper bounds, lower bounds (bigint: they lie beyond any int), how many priorities at most.
-- Index: job_claim_idx, one probe a gap and one a priority that is found.
WITH RECURSIVE found(entrypoint, priority, below) AS (
    SELECT f.entrypoint, f.priority, g.below
      FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS g(entrypoint, above, below)
     CROSS JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j
                          WHERE j.entrypoint = g.entrypoint AND j.priority < g.above AND j.priority > g.below
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
    UNION ALL
    SELECT f.entrypoint, f.priority, w.below
      FROM found AS w
     CROSS JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j
                          WHERE j.entrypoint = w.entrypoint AND j.priority < w.priority AND j.priority > w.below
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
)
SELECT f.entrypoint, f.priority FROM found AS f LIMIT $4::bigint
