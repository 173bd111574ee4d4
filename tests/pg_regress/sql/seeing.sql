\set ECHO none
\i tests/pg_regress/fresh.sql
-- Seeing: the relations with their fixed columns, pgq.queue_size, pgq.throughput, pgq.latency.

-- The columns of the contract, in any order and with others beside them.
SELECT relation, string_agg(c.column_name || ' ' || CASE WHEN c.udt_schema = 'pgq' THEN 'pgq.' || c.udt_name ELSE c.data_type END, ', ' ORDER BY n) AS columns
  FROM (VALUES ('jobs', '{id,entrypoint,payload,headers,priority,status,attempts,worker,created,execute_after,picked,dedupe_key,ordering_key}'::text[]),
               ('job_log', '{job_id,entrypoint,priority,attempts,worker,outcome,error,created,picked,finished}'),
               ('entrypoints', '{entrypoint,concurrency_limit,max_attempts,backoff_initial,backoff_max,backoff_multiplier,on_failure,max_releases,rate_limit,rate_period,paused}'),
               ('workers', '{worker,kind,pid,since,last_seen,lease,claims}')) AS r(relation, names),
       unnest(names) WITH ORDINALITY AS a(name, n)
  JOIN information_schema.columns AS c ON c.column_name = a.name
 WHERE c.table_schema = 'pgq' AND c.table_name = relation
 GROUP BY relation ORDER BY relation;
SELECT enum_range(NULL::pgq.job_status);

-- queue_size: live jobs by entrypoint, priority and status.
SELECT * FROM pgq.queue_size();
SELECT pgq.enqueue_many_text('{b,a,a,a,a,A}', '{1,2,3,4,5,6}', '{0,5,5,0,0,0}');
SELECT pgq.enqueue('a', delay => '1 hour');
SELECT id FROM pgq.dequeue('{a}', 3);
SELECT pgq.finish('{2}', '{failed}');
SELECT entrypoint, priority, status, count FROM pgq.queue_size() ORDER BY entrypoint COLLATE "C", priority DESC, status;
SELECT sum(count) = (SELECT count(*) FROM pgq.jobs) AS all_of_them FROM pgq.queue_size();

-- workers: who holds claims, and how many.
SELECT kind, pid = pg_backend_pid() AS this_session, worker = (SELECT worker FROM pgq.jobs WHERE id = 3) AS as_on_its_jobs, lease, claims,
       since <= last_seen AND last_seen <= clock_timestamp() AS in_order
  FROM pgq.workers;
SELECT id FROM pgq.dequeue('{a,b}', 1, :'anna', '90 s');
SELECT worker, kind, pid, lease, claims FROM pgq.workers WHERE kind = 'named';

-- throughput: ended jobs by entrypoint, status and minute; attempts that were retried have ended no job.
SELECT pgq.complete(3), pgq.complete(1, :'anna'), pgq.retry(4), pgq.cancel('{5}'), pgq.clear('{A}');
SELECT entrypoint, status, sum(count), bool_and(minute = date_trunc('minute', minute)) AS whole_minutes
  FROM pgq.throughput() GROUP BY entrypoint, status ORDER BY entrypoint COLLATE "C", status;
SELECT sum(count) FROM pgq.throughput('1 day');
-- Of the period only: nothing has ended in no time.
SELECT count(*) FROM pgq.throughput('0');
SELECT pg_typeof(entrypoint), pg_typeof(status), pg_typeof(minute), pg_typeof(count) FROM pgq.throughput(period => '1 day') LIMIT 1;

-- latency: wait is from enqueue to claim, run from claim to end. 101 jobs that have waited 1, 2, … 101 minutes.
INSERT INTO pgq.jobs (entrypoint, created) SELECT 'l', now() - make_interval(mins => n) FROM generate_series(1, 101) AS n;
SELECT count(*) FROM pgq.dequeue('{l}', 200);
SELECT cardinality(pgq.complete_many(ARRAY(SELECT id FROM pgq.jobs WHERE entrypoint = 'l')));
SELECT entrypoint, round(extract(epoch FROM wait_p50) / 60) AS p50, round(extract(epoch FROM wait_p95) / 60) AS p95,
       round(extract(epoch FROM wait_p99) / 60) AS p99, round(extract(epoch FROM wait_max) / 60) AS max,
       run_p50 > '0' AND run_p50 <= run_p95 AND run_p95 <= run_p99 AND run_p99 <= run_max AND run_max < '1 min' AS runs
  FROM pgq.latency() WHERE entrypoint = 'l';
SELECT count(*) FROM pgq.latency('0');
-- No producer can spoil it: a time from before all clocks is as good as any, and one that is none is refused by INSERT.
INSERT INTO pgq.jobs (entrypoint, created) VALUES ('l', '4713-01-01 00:00+00 BC');
SELECT pgq.complete(id) FROM pgq.dequeue('{l}');
SELECT error_of('SELECT * FROM pgq.latency()');
-- One row an entrypoint.
SELECT entrypoint FROM pgq.latency(period => '1 day') ORDER BY entrypoint COLLATE "C";
