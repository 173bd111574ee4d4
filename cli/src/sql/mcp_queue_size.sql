-- How many live jobs there are by entrypoint, priority and status, each counted up to a bound. $1 the prefix.
-- Reads the table by job_claim_idx as jobs.sql does: a thousand pairs of entrypoint and priority, so much of each that all of
-- them together are some twenty thousand jobs.
WITH RECURSIVE name(entrypoint) AS (
    (SELECT j.entrypoint FROM pgq.job AS j WHERE j.entrypoint >= $1
      ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1)
    UNION ALL
    SELECT f.entrypoint FROM name AS n
     CROSS JOIN LATERAL (SELECT j.entrypoint FROM pgq.job AS j WHERE j.entrypoint > n.entrypoint
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
     WHERE starts_with(n.entrypoint, $1)
), pair(entrypoint, priority) AS (
    SELECT f.entrypoint, f.priority
      FROM (SELECT n.entrypoint FROM name AS n WHERE starts_with(n.entrypoint, $1)) AS a
     CROSS JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j WHERE j.entrypoint = a.entrypoint
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
    UNION ALL
    SELECT p.entrypoint, f.priority FROM pair AS p
     CROSS JOIN LATERAL (SELECT j.priority FROM pgq.job AS j WHERE j.entrypoint = p.entrypoint AND j.priority < p.priority
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS f
), bounded AS MATERIALIZED (
    SELECT p.entrypoint, p.priority FROM pair AS p LIMIT 1000
), bound AS MATERIALIZED (
    SELECT greatest(100, least(10000, 20000 / greatest(count(*), 1))) AS jobs FROM bounded
), claim AS MATERIALIZED (
    SELECT c.id FROM pgq.claims() AS c
), counted AS (
    SELECT b.entrypoint, b.priority, CASE WHEN l.id IN (SELECT c.id FROM claim AS c) THEN 'picked' ELSE 'queued' END AS status,
           count(*) AS jobs, max(l.place) AS place
      FROM bounded AS b
     CROSS JOIN LATERAL (SELECT j.id, row_number() OVER () AS place
                           FROM (SELECT j.id FROM pgq.job AS j
                                  WHERE j.entrypoint = b.entrypoint AND j.priority = b.priority AND j.due < 'infinity'
                                  ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT (SELECT jobs FROM bound)) AS j) AS l
     GROUP BY 1, 2, 3
    UNION ALL
    -- Held jobs, and those that are deferred for ever.
    SELECT b.entrypoint, b.priority, l.status, count(*), max(l.place)
      FROM bounded AS b
     CROSS JOIN LATERAL (SELECT CASE WHEN j.held THEN 'failed' ELSE 'queued' END AS status, row_number() OVER () AS place
                           FROM (SELECT j.held FROM pgq.job AS j
                                  WHERE j.entrypoint = b.entrypoint AND j.priority = b.priority AND j.due = 'infinity'
                                  ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT (SELECT jobs FROM bound)) AS j) AS l
     GROUP BY 1, 2, 3
)
SELECT row_to_json(s)
  FROM (SELECT substr(c.entrypoint, length($1) + 1) AS entrypoint, c.priority, c.status, sum(c.jobs)::bigint AS count,
               bool_or(c.place = (SELECT jobs FROM bound)) AS at_least
          FROM counted AS c GROUP BY c.entrypoint, c.priority, c.status
         ORDER BY c.entrypoint, c.priority DESC, c.status DESC) AS s
