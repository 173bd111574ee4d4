-- How late each was.
\pset footer off
SELECT entrypoint, count(*) AS jobs, min(attempts) AS "earlier attempts",
       round(max(extract(epoch FROM at - due)) * 1000, 1) AS "at most ms late",
       CASE entrypoint WHEN 'beat' THEN 'schedule * * * * * *, one job each second'
                       WHEN 'timer' THEN 'deferred, reached a waiting worker on its time'
                       WHEN 'slow' THEN 'its worker was killed in the middle: until it ran again' END AS what
  FROM demo_seen GROUP BY entrypoint ORDER BY entrypoint;
