-- How many jobs of some entrypoints and priorities are due and held by nobody, each counted to a bound, and when the first of them fell due.
-- Called by: see/backlog.rs. Parameters: entrypoints, priorities, from where (due and id), up to but not including where (due and id),
-- the bounds, ids of jobs that somebody holds.
-- Index: job_claim_idx, from the place that memory keeps to the bound. NOT IN becomes a hash of the held ones.
SELECT p.place,
       (SELECT count(*)
          FROM (SELECT FROM pgq.job AS j
                 WHERE j.entrypoint = p.entrypoint AND j.priority = p.priority
                   AND (j.due, j.id) >= (p.from_due, p.from_id) AND (j.due, j.id) < (p.to_due, p.to_id)
                   AND j.id NOT IN (SELECT h.id FROM unnest($8::bigint[]) AS h(id))
                 LIMIT p.bound) AS d),
       (SELECT j.due FROM pgq.job AS j
         WHERE j.entrypoint = p.entrypoint AND j.priority = p.priority
           AND (j.due, j.id) >= (p.from_due, p.from_id) AND (j.due, j.id) < (p.to_due, p.to_id)
           AND j.id NOT IN (SELECT h.id FROM unnest($8::bigint[]) AS h(id))
         ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1)
  FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::bigint[])
       WITH ORDINALITY AS p(entrypoint, priority, from_due, from_id, to_due, to_id, bound, place)
