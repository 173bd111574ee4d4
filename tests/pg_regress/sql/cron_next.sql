\set ECHO none
\i tests/pg_regress/fresh.sql
-- pgq.cron_next: when an expression ticks.
SET timezone = 'UTC';

-- In FROM and in the select list, by position and by name; strictly after.
SELECT * FROM pgq.cron_next('*/15 * * * *', '2027-01-01 00:00', 'UTC', 3);
SELECT pgq.cron_next(count => 2, timezone => 'UTC', after => '2027-01-01 00:14:59.999999', cron => '*/15 * * * *');
SELECT * FROM pgq.cron_next('*/15 * * * *', '2027-01-01 00:15');
SELECT v.cron, n.tick FROM (VALUES ('@daily'), ('@hourly')) AS v(cron), LATERAL pgq.cron_next(v.cron, '2027-01-01', count => 2) AS n(tick);
SELECT v.cron, pgq.cron_next(v.cron, '2027-01-01', count => 2) FROM (VALUES ('@weekly'), ('@monthly')) AS v(cron);
SELECT * FROM pgq.cron_next('@yearly', '2027-01-01', count => 9) LIMIT 2;
SELECT * FROM pgq.cron_next('* * * * * *') AS tick WHERE tick <= now() OR tick > now() + interval '1 s';
PREPARE untyped AS SELECT * FROM pgq.cron_next($1, $2, $3, $4);
EXECUTE untyped('@daily', '2027-01-01', 'UTC', 1);

-- Six fields have the seconds last; names, lists, ranges, steps; 0 and 7 are Sunday.
SELECT * FROM pgq.cron_next('* * * * * */3', '2027-01-01 00:00:01', count => 2);
SELECT * FROM pgq.cron_next('*/3 * * * * *', '2027-01-01 00:00:01', count => 2);
SELECT to_char(tick, 'Dy YYYY-MM-DD HH24:MI:SS') AS tick FROM pgq.cron_next('0 12 * Feb,APR-may mon-FRI/2 30', '2027-02-26', count => 4) AS tick;
SELECT array_agg(DISTINCT cron ORDER BY cron) AS alike, to_char(tick, 'Dy MM-DD') AS tick
  FROM unnest('{0 0 * * 0,0 0 * * 7,0 0 * * sun,@weekly,@Weekly}'::text[]) AS cron, pgq.cron_next(cron, '2027-01-01', count => 2) AS tick GROUP BY 2 ORDER BY 2;
SELECT array_agg(to_char(tick, 'Dy MM-DD') ORDER BY tick) AS ticks FROM pgq.cron_next('0 0 * * 5-7', '2027-01-01', count => 4) AS tick;
-- Both days restricted: either matches. A day that begins with * is not restricted.
SELECT array_agg(to_char(tick, 'Dy MM-DD') ORDER BY tick) AS ticks FROM pgq.cron_next('0 0 13 * fri', '2027-01-01 00:00', count => 5) AS tick;
SELECT array_agg(to_char(tick, 'Dy MM-DD') ORDER BY tick) AS ticks FROM pgq.cron_next('0 0 */2 * fri', '2027-01-01 00:00', count => 3) AS tick;
SELECT array_agg(to_char(tick, 'Dy MM-DD') ORDER BY tick) AS ticks FROM pgq.cron_next('0 0 13 * */2', '2027-01-01 00:00', count => 3) AS tick;
SELECT name, tick FROM unnest('{@yearly,@annually,@monthly,@weekly,@daily,@midnight,@hourly}'::text[]) WITH ORDINALITY AS n(name, o),
       pgq.cron_next(name, '2027-03-09 10:11:12') AS tick ORDER BY o;

-- A gap in spring, an overlap in autumn.
SELECT * FROM pgq.cron_next('30 2 * * *', '2027-03-27 12:00', 'Europe/Berlin', 2);
SELECT * FROM pgq.cron_next('30 2 * * *', '2027-10-30 12:00', 'europe/BERLIN', 2);
SELECT * FROM pgq.cron_next('0 * * * *', '2027-10-30 23:30', 'Europe/Berlin', 3);
SELECT * FROM pgq.cron_next('0 0 * * *', '2027-06-01', 'Asia/Kathmandu');

-- The ends of time: there are ticks from 1970 to 2100.
SELECT * FROM pgq.cron_next('@yearly', 'infinity');
SELECT * FROM pgq.cron_next('@yearly', '-infinity', count => 2);
SELECT * FROM pgq.cron_next('@yearly', '4713-01-01 BC');
SELECT * FROM pgq.cron_next('@yearly', '294276-12-31');
SELECT * FROM pgq.cron_next('@yearly', '2098-06-01', count => 100000);
SELECT * FROM pgq.cron_next('0 0 29 2 *', '2096-03-01', count => 5);
SELECT count(*) FROM pgq.cron_next('* * * * * *', '2027-01-01', count => 100000);
SELECT count(*) FROM pgq.cron_next('0 0 31 2 *', count => 3);
-- It is stable, and may run in a parallel worker.
SELECT provolatile, proparallel, proretset FROM pg_proc WHERE oid = 'pgq.cron_next'::regproc;
