-- The entrypoints that rows have, in gaps between those that are known.
-- Called by: see/backlog.rs. Where all are known each gap is empty and costs one probe.
-- Parameters: lower bounds, upper bounds, both outside of what is asked for; how many at most.
-- Index: job_claim_idx, one probe a gap and one an entrypoint that is found.
WITH RECURSIVE found(entrypoint, above) AS (
    SELECT f.entrypoint, g.above
      FROM unnest($1::text[], $2::text[]) AS g(below, above)
     CROSS JOIN LATERAL (SELECT j.entrypoint FROM pgq.job AS j
                          WHERE j.entrypoint > g.below AND j.entrypoint < g.above
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
    UNION ALL
    SELECT f.entrypoint, w.above
      FROM found AS w
     CROSS JOIN LATERAL (SELECT j.entrypoint FROM pgq.job AS j
                          WHERE j.entrypoint > w.entrypoint AND j.entrypoint < w.above
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
)
SELECT f.entrypoint FROM found AS f LIMIT $3::bigint
