\set ECHO none
\i tests/pg_regress/fresh.sql
-- Rights: none for PUBLIC; producer, worker, monitor, admin; pgq.revoke_all.
-- Everything is tried here, and rolled back.
SET pgqueuer.rollback_delay = 0;
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_nobody, regress_producer, regress_producer2, regress_worker, regress_monitor, regress_admin, regress_other;
RESET client_min_messages;
CREATE ROLE regress_nobody;
CREATE ROLE regress_producer;
CREATE ROLE regress_producer2;
CREATE ROLE regress_worker;
CREATE ROLE regress_monitor;
CREATE ROLE regress_admin;
CREATE ROLE regress_other;

-- Which calls a role may make: every function of the contract, and every relation, tried.
CREATE TABLE regress.calls (n int GENERATED ALWAYS AS IDENTITY, kind text, call text);
INSERT INTO regress.calls (kind, call) VALUES
    ('produce', $$SELECT pgq.enqueue('q', 'text')$$), ('produce', $$SELECT pgq.enqueue('q', payload_bytes => '\x00')$$),
    ('produce', $$SELECT pgq.enqueue('q', payload_json => '1')$$), ('produce', $$SELECT pgq.enqueue('q', payload_jsonb => '1')$$),
    ('produce', $$SELECT pgq.enqueue_many('{q}', '{NULL}')$$), ('produce', $$SELECT pgq.enqueue_many_text('{q}', '{a}')$$),
    ('produce', $$INSERT INTO pgq.jobs (entrypoint, payload) VALUES ('q', 'x')$$), ('produce', $$INSERT INTO pgq.jobs (entrypoint) VALUES ('q') RETURNING id$$),
    ('consume', $$SELECT * FROM pgq.dequeue('{q}')$$), ('consume', $$SELECT pgq.complete(1)$$), ('consume', $$SELECT pgq.complete_many('{1}')$$),
    ('consume', $$SELECT pgq.fail(1)$$), ('consume', $$SELECT pgq.fail(1, error_json => '1')$$), ('consume', $$SELECT pgq.fail(1, error_jsonb => '1')$$),
    ('consume', $$SELECT pgq.retry(1)$$), ('consume', $$SELECT pgq.finish('{1}', '{failed}')$$), ('consume', $$SELECT pgq.release('{1}')$$),
    ('consume', $$SELECT pgq.heartbeat('aaaaaaaa-0000-0000-0000-000000000001')$$),
    ('control', $$SELECT pgq.cancel('{1}')$$), ('control', $$SELECT pgq.delete('{1}')$$), ('control', $$SELECT pgq.clear('{q}')$$), ('control', $$SELECT pgq.clear()$$),
    ('control', $$SELECT pgq.requeue('{1}')$$), ('control', $$SELECT pgq.reschedule('{1}')$$), ('control', $$SELECT pgq.pause('q')$$), ('control', $$SELECT pgq.resume('q')$$),
    ('control', $$SELECT pgq.configure('q')$$), ('control', $$SELECT pgq.set_durability('durable')$$),
    ('grant', $$SELECT pgq.grant_producer('regress_other')$$), ('grant', $$SELECT pgq.grant_worker('regress_other')$$),
    ('grant', $$SELECT pgq.grant_monitor('regress_other')$$), ('grant', $$SELECT pgq.grant_admin('regress_other')$$), ('grant', $$SELECT pgq.revoke_all('regress_other')$$),
    ('see', $$SELECT * FROM pgq.queue_size()$$), ('see', $$SELECT * FROM pgq.throughput()$$), ('see', $$SELECT * FROM pgq.latency()$$), ('see', $$SELECT pgq.metrics()$$),
    ('see', $$SELECT * FROM pgq.jobs$$), ('see', $$SELECT * FROM pgq.job_log$$), ('see', $$SELECT * FROM pgq.entrypoints$$), ('see', $$SELECT * FROM pgq.workers$$),
    ('status', $$SELECT * FROM pgq.status('{1}')$$), ('status', $$SELECT pgq.explain(1)$$),
    ('payloads of others', $$SELECT payload FROM pgq.jobs$$), ('payloads of others', $$SELECT headers FROM pgq.jobs$$),
    ('payloads of others', $$SELECT max(id) FROM pgq.jobs WHERE payload = 'x'$$), ('payloads of others', $$SELECT payload FROM pgq.job$$),
    ('rows by hand', $$UPDATE pgq.jobs SET priority = 1$$), ('rows by hand', $$DELETE FROM pgq.jobs$$), ('rows by hand', $$INSERT INTO pgq.job_log SELECT * FROM pgq.job_log$$),
    ('rows by hand', $$INSERT INTO pgq.job SELECT * FROM pgq.job$$), ('rows by hand', $$UPDATE pgq.job SET priority = 1$$), ('rows by hand', $$DELETE FROM pgq.job$$),
    ('rows by hand', $$TRUNCATE pgq.job$$), ('rows by hand', $$UPDATE pgq.entrypoints SET paused = true$$), ('rows by hand', $$DELETE FROM pgq.entrypoints$$),
    ('rows by hand', $$SELECT nextval('pgq.job_id_seq')$$), ('rows by hand', $$SELECT setval('pgq.job_id_seq', 1)$$),
    ('rows by hand', $$CREATE TABLE pgq.mine ()$$), ('rows by hand', $$DROP EXTENSION pgqueuer$$);
GRANT SELECT ON regress.calls TO PUBLIC;
-- What a role may do of each kind. Nothing stays of a call. One that is refused for another reason than a missing right
-- was allowed; any other error would be a mistake of this test.
CREATE FUNCTION regress.may(call text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    RAISE EXCEPTION USING ERRCODE = 'PH001';
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
    WHEN SQLSTATE 'PH001' OR feature_not_supported OR unique_violation OR dependent_objects_still_exist THEN RETURN true;
END
$$;
CREATE FUNCTION regress.rights() RETURNS SETOF text LANGUAGE sql AS $$
SELECT format('%s: %s', kind, CASE count(*) FILTER (WHERE may) WHEN count(*) THEN 'everything' WHEN 0 THEN 'nothing'
                              ELSE string_agg(call, '; ' ORDER BY n) FILTER (WHERE may) END)
  FROM (SELECT c.*, regress.may(c.call) AS may FROM regress.calls AS c ORDER BY c.n) AS c GROUP BY kind ORDER BY min(n)
$$;

-- As a superuser everything can be tried; as nobody nothing.
SELECT pgq.enqueue('q', 'secret', headers => '{"token": "secret"}'), pgq.enqueue('q', 'more secrets');
SELECT regress.rights();
SET ROLE regress_nobody;
SELECT regress.rights();
SELECT error_of($$SELECT pgq.enqueue('q')$$);
RESET ROLE;

-- One right after another.
SELECT pgq.grant_producer('regress_producer'), pgq.grant_producer('regress_producer2'), pgq.grant_worker('regress_worker'), pgq.grant_monitor('regress_monitor'), pgq.grant_admin('regress_admin');
SET ROLE regress_producer;
SELECT regress.rights();
SET ROLE regress_worker;
SELECT regress.rights();
SET ROLE regress_monitor;
SELECT regress.rights();
SET ROLE regress_admin;
SELECT regress.rights();
RESET ROLE;
-- A right given twice is given once.
SELECT pgq.grant_producer('regress_producer');

-- A producer enqueues in every way and sees the status of what it enqueued, not of what others did.
SET ROLE regress_producer;
SELECT pgq.enqueue('q', 'mine') AS mine \gset
INSERT INTO pgq.jobs (entrypoint, payload) VALUES ('q', 'mine too') RETURNING id AS inserted \gset
COPY pgq.jobs (entrypoint, payload) FROM STDIN;
q	mine by COPY
\.
SELECT (pgq.enqueue_many_text('{q}', '{mine in a batch}'))[1] AS batch \gset
SELECT pgq.enqueue('q', 'mine', dedupe_key => 'k') AS keyed \gset
SELECT count(*), min(status), max(status) FROM pgq.status(ARRAY[1, 2, :mine, :inserted, :inserted + 1, :batch, :keyed]);
SELECT id FROM pgq.status('{1,2}');
-- It reads no payload by COPY either.
COPY (SELECT payload FROM pgq.jobs) TO STDOUT;
COPY pgq.job TO STDOUT;
SET ROLE regress_producer2;
SELECT pgq.enqueue('q', 'of the second') AS second \gset
SELECT id = :second AS second FROM pgq.status(ARRAY[1, :mine, :inserted, :batch, :second]);
SET ROLE regress_monitor;
SELECT count(*) FROM pgq.status(ARRAY[1, 2, :mine, :inserted, :inserted + 1, :batch, :keyed, :second]);
SET ROLE regress_worker;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{q}', 4);
SELECT pgq.complete(:mine), pgq.complete(1);
-- It sees how its jobs ended too.
SET ROLE regress_producer;
SELECT id = :mine AS mine, status FROM pgq.status(ARRAY[1, :mine]);
-- The session's user counts: SET ROLE is another one, a function that runs in its owner's name is none.
SET ROLE regress_admin;
SELECT count(*) FROM pgq.status(ARRAY[1, :mine]);
RESET ROLE;
CREATE FUNCTION regress.enqueue_for_all() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT pgq.enqueue('q', 'by a function') $$;
SET ROLE regress_producer;
SELECT regress.enqueue_for_all() AS by_function \gset
SELECT status FROM pgq.status(ARRAY[:by_function]);
RESET ROLE;

-- revoke_all takes everything back, and from that role only.
SELECT pgq.revoke_all('regress_producer'), pgq.revoke_all('regress_worker'), pgq.revoke_all('regress_monitor');
SET ROLE regress_producer;
SELECT regress.rights();
SET ROLE regress_worker;
SELECT regress.rights();
SET ROLE regress_monitor;
SELECT regress.rights();
SET ROLE regress_producer2;
SELECT pgq.enqueue('q') IS NOT NULL AS may_still;
-- An admin grants and revokes, also from another admin.
SET ROLE regress_admin;
SELECT pgq.grant_admin('regress_other'), pgq.grant_producer('regress_producer');
SET ROLE regress_other;
SELECT pgq.revoke_all('regress_admin'), pgq.revoke_all('regress_producer');
SET ROLE regress_admin;
SELECT regress.rights();
SET ROLE regress_producer;
SELECT regress.rights();
RESET ROLE;
SELECT pgq.revoke_all('regress_other'), pgq.revoke_all('regress_producer2'), pgq.revoke_all('regress_nobody');
-- Nothing of theirs is left, so that they can be dropped.
DROP ROLE regress_nobody, regress_producer, regress_producer2, regress_worker, regress_monitor, regress_admin, regress_other;
