-- What happened to each entrypoint.
\pset footer off
\pset null ''
WITH ended AS (
    SELECT entrypoint,
           count(DISTINCT job_id) AS jobs,
           count(*) FILTER (WHERE outcome = 'successful') AS successful,
           count(*) FILTER (WHERE outcome = 'retried') AS retried,
           count(*) FILTER (WHERE outcome = 'failed') AS "held as failed"
      FROM pgq.job_log GROUP BY entrypoint
), peak AS (
    SELECT entrypoint, max(in_flight) AS in_flight, count(*) FILTER (WHERE too_early) AS too_early FROM demo_in_flight GROUP BY entrypoint
), lines AS (
    SELECT count(*) FILTER (WHERE entry <> place) AS wrong
      FROM (SELECT entry, row_number() OVER (PARTITION BY account ORDER BY line) AS place FROM demo_ledger) AS l
)
SELECT e.entrypoint, e.jobs, e.successful, e.retried, e."held as failed", p.in_flight AS "most at a time",
       (extract(epoch FROM l.run_p50) * 1000)::int AS "run p50 ms",
       CASE e.entrypoint
            WHEN 'fetch' THEN 'higher priority first'
            WHEN 'mail' THEN 'concurrency_limit 2'
            WHEN 'parse' THEN 'first attempt fails, retried after its backoff'
            WHEN 'broken' THEN 'given up after 2 attempts; see pgq.jobs'
            WHEN 'ledger' THEN format('5 ordering keys, %s entries out of order', (SELECT wrong FROM lines))
            WHEN 'later' THEN format('deferred, %s before their time', p.too_early)
       END AS what
  FROM ended AS e JOIN peak AS p USING (entrypoint) LEFT JOIN pgq.latency() AS l USING (entrypoint)
 ORDER BY e.jobs DESC, e.entrypoint;
