-- How many jobs of some entrypoints and priorities are deferred, and how many held as failed, each counted to a bound.
-- Called by: see/backlog.rs. Parameters: entrypoints, priorities, bounds for both, now.
-- Index: job_claim_idx, behind the jobs that are due. Those that are due at infinity are held, or deferred for ever.
SELECT p.place,
       (SELECT count(*)
          FROM (SELECT FROM pgq.job AS j
                 WHERE j.entrypoint = p.entrypoint AND j.priority = p.priority
                   AND j.due > $5::timestamptz AND j.due < 'infinity'
                 LIMIT p.deferred) AS d),
       f.ever, f.held
  FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS p(entrypoint, priority, deferred, held, place)
 CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE NOT i.held) AS ever, count(*) FILTER (WHERE i.held) AS held
                       FROM (SELECT j.held FROM pgq.job AS j
                              WHERE j.entrypoint = p.entrypoint AND j.priority = p.priority AND j.due = 'infinity'
                              LIMIT greatest(p.deferred, p.held)) AS i) AS f
