-- What ended by entrypoint, those with most first. $1 of so many seconds, $2 the prefix, $3 how many entrypoints.
-- Index: job_log_finished_idx.
SELECT row_to_json(s)
  FROM (SELECT substr(l.entrypoint, length($2) + 1) AS entrypoint, sum(l.jobs)::bigint AS ended,
               sum(l.jobs) FILTER (WHERE l.outcome IN ('failed', 'exception'))::bigint AS given_up,
               json_object_agg(l.outcome, l.jobs) AS outcomes,
               round((sum(l.jobs) / $1)::numeric, 4)::float8 AS per_second,
               round((sum(l.run) / nullif(sum(l.runs), 0))::numeric, 3)::float8 AS mean_run_seconds,
               round(max(l.longest)::numeric, 3)::float8 AS longest_run_seconds
          FROM (SELECT l.entrypoint, l.outcome, count(*) AS jobs, count(l.picked) AS runs,
                       sum(extract(epoch FROM l.finished - l.picked))::float8 AS run,
                       max(extract(epoch FROM l.finished - l.picked))::float8 AS longest
                  FROM pgq.job_log AS l
                 WHERE l.finished > now() - make_interval(secs => $1) AND starts_with(l.entrypoint, $2)
                 GROUP BY 1, 2) AS l
         GROUP BY l.entrypoint ORDER BY 2 DESC, 1 LIMIT $3) AS s
