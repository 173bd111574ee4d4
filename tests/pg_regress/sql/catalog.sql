\set ECHO none
\i tests/pg_regress/fresh.sql
-- What stands in the catalog: names, arguments, comments, privileges, what is dumped.

-- Every function of the contract: argument names, types, order, defaults, result.
SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ') → ' || pg_get_function_result(p.oid) AS function
  FROM pg_proc AS p
 WHERE p.pronamespace = 'pgq'::regnamespace
   AND p.proname = ANY ('{enqueue,enqueue_many,enqueue_many_text,dequeue,complete,complete_many,fail,retry,finish,release,heartbeat,listen,channel,
                          cancel,delete,clear,requeue,reschedule,pause,resume,configure,payload_text,payload_json,status,explain,queue_size,throughput,latency,metrics,
                          set_durability,grant_producer,grant_worker,grant_monitor,grant_admin,revoke_all}'::text[])
 ORDER BY p.proname COLLATE "C", pg_get_function_arguments(p.oid) COLLATE "C";
-- No function is overloaded between a scalar and an array, and exactly one overload has a default for what differs.
SELECT proname, count(*) AS overloads, count(*) FILTER (WHERE pronargdefaults = (SELECT max(q.pronargdefaults) FROM pg_proc AS q WHERE q.pronamespace = p.pronamespace AND q.proname = p.proname)) AS with_the_default
  FROM pg_proc AS p WHERE pronamespace = 'pgq'::regnamespace GROUP BY pronamespace, proname HAVING count(*) > 1 ORDER BY proname COLLATE "C";
-- All is in schema pgq, which the control file fixes.
SELECT extrelocatable, extnamespace::regnamespace FROM pg_extension WHERE extname = 'pgqueuer';
SELECT count(*) AS members_elsewhere
  FROM pg_depend AS d, pg_identify_object(d.classid, d.objid, 0) AS o
 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pgqueuer') AND d.deptype = 'e'
   AND o.schema IS DISTINCT FROM 'pgq' AND o.type NOT LIKE '%trigger%';

-- A comment on every object and column. Partitions are a table's parts: their columns are its columns.
SELECT 'extension ' || extname AS without_comment FROM pg_extension WHERE extname = 'pgqueuer' AND obj_description(oid, 'pg_extension') IS NULL
UNION ALL SELECT 'schema' WHERE obj_description('pgq'::regnamespace, 'pg_namespace') IS NULL
UNION ALL SELECT 'relation ' || relname FROM pg_class WHERE relnamespace = 'pgq'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S') AND obj_description(oid, 'pg_class') IS NULL
UNION ALL SELECT 'column ' || c.relname || '.' || a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
           WHERE c.relnamespace = 'pgq'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'pgq'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL
UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'pgq'::regnamespace AND typtype IN ('e', 'd', 'r', 'b') AND typcategory <> 'A' AND obj_description(oid, 'pg_type') IS NULL
UNION ALL SELECT 'trigger ' || t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'pgq'::regnamespace AND NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NULL
ORDER BY 1;
-- Every function's comment tells its arguments, its errors and an example. One that is "as" another need not repeat it.
CREATE VIEW regress.comments AS
SELECT p.oid, p.proname, p.proargnames[1:p.pronargs] AS arguments, obj_description(p.oid, 'pg_proc') AS comment
  FROM pg_proc AS p
 WHERE p.pronamespace = 'pgq'::regnamespace AND p.prorettype <> 'trigger'::regtype AND obj_description(p.oid, 'pg_proc') NOT LIKE '%Internal%';
SELECT count(*) > 30 AS looked_at FROM regress.comments;
SELECT proname AS function, string_agg(name, ', ' ORDER BY name) AS arguments_not_told
  FROM regress.comments, unnest(arguments) AS name
 WHERE comment !~ ('\m' || name || '\M') AND comment NOT LIKE 'As pgq.%' GROUP BY oid, proname ORDER BY proname COLLATE "C";
SELECT proname AS errors_not_told FROM regress.comments
 WHERE comment !~ 'Errors?:' AND comment NOT LIKE 'As pgq.%' AND proname NOT IN ('payload_text', 'payload_json', 'queue_size', 'throughput', 'latency', 'status', 'health', 'arm') ORDER BY proname COLLATE "C";
SELECT oid::regprocedure AS without_example FROM regress.comments WHERE comment NOT LIKE '%Example: %' ORDER BY proname COLLATE "C";

-- No privilege for PUBLIC on anything.
SELECT 'schema' AS public_may, privilege_type FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) WHERE nspname = 'pgq' AND grantee = 0
UNION ALL SELECT relname, privilege_type FROM pg_class, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)))
           WHERE relnamespace = 'pgq'::regnamespace AND grantee = 0
UNION ALL SELECT attname, privilege_type FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(attacl) WHERE relnamespace = 'pgq'::regnamespace AND grantee = 0
UNION ALL SELECT p.oid::regprocedure::text, privilege_type FROM pg_proc AS p, aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE pronamespace = 'pgq'::regnamespace AND grantee = 0
UNION ALL SELECT typname, privilege_type FROM pg_type, aclexplode(coalesce(typacl, acldefault('T', typowner))) WHERE typnamespace = 'pgq'::regnamespace AND typtype = 'e' AND grantee = 0
ORDER BY 1, 2;
SELECT count(*) > 40 AS functions_looked_at FROM pg_proc WHERE pronamespace = 'pgq'::regnamespace;

-- Every function that runs in its owner's name fixes its search_path, with pg_temp last, and so does every one in SQL or PL/pgSQL.
SELECT oid::regprocedure AS without_fixed_path FROM pg_proc
 WHERE pronamespace = 'pgq'::regnamespace AND (prosecdef OR prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql')))
   AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false);
SELECT count(*) FILTER (WHERE prosecdef) > 30 AS looked_at FROM pg_proc WHERE pronamespace = 'pgq'::regnamespace;

-- Every table with rows of its own, and every sequence, is dumped with all its rows, but for receipts: a copy has other workers.
SELECT c.relname AS not_dumped
  FROM pg_class AS c JOIN pg_extension AS e ON e.extname = 'pgqueuer'
 WHERE c.relnamespace = 'pgq'::regnamespace AND c.relkind IN ('r', 'S') AND c.relname NOT IN ('receipt', 'installation') AND NOT coalesce(c.oid = ANY (e.extconfig), false);
SELECT count(*) = cardinality(array_agg(DISTINCT o)) AS each_once, bool_and(condition = '') AS whole_tables, count(*) > 2 AS looked_at
  FROM pg_extension, unnest(extconfig, extcondition) AS c(o, condition) WHERE extname = 'pgqueuer';
-- Every object is the extension's, so that DROP EXTENSION takes it along.
SELECT c.relname AS not_a_member FROM pg_class AS c
 WHERE c.relnamespace = 'pgq'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
   AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');
