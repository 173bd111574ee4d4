\set ECHO none
\i tests/pg_regress/fresh.sql
-- Rights: unknown roles, and roles with hostile names.
SELECT error_of($$SELECT pgq.grant_producer('regress_unknown')$$);
SELECT error_of($$SELECT pgq.grant_worker('regress_unknown')$$);
SELECT error_of($$SELECT pgq.grant_monitor('regress_unknown')$$);
SELECT error_of($$SELECT pgq.grant_admin('regress_unknown')$$);
SELECT error_of($$SELECT pgq.revoke_all('regress_unknown')$$);
SELECT error_of($$SELECT pgq.grant_admin(NULL)$$);
SELECT error_of($$SELECT pgq.grant_producer('')$$);
-- PUBLIC is no role: nobody gets a right that everybody has.
SELECT error_of($$SELECT pgq.grant_producer('public')$$);
SELECT error_of($$SELECT pgq.grant_admin('PUBLIC')$$);
SELECT error_of($$SELECT pgq.grant_admin('current_user')$$);
SELECT error_of($$SELECT pgq.grant_admin('regress_unknown, public')$$);
SELECT error_of($$SELECT pgq.grant_admin('"public"')$$);
SELECT count(*) FROM pg_proc AS p, aclexplode(p.proacl) AS a WHERE p.pronamespace = 'pgq'::regnamespace AND a.grantee = 0;

-- A name is a name, whatever is in it.
SET client_min_messages = warning;
DROP ROLE IF EXISTS "regress Upper", "regress""quote", "regress'apostrophe", "regress\backslash", "regress; DROP TABLE pgq.job; --", "regress, public", "regress_é€";
RESET client_min_messages;
CREATE ROLE "regress Upper";
CREATE ROLE "regress""quote";
CREATE ROLE "regress'apostrophe";
CREATE ROLE "regress\backslash";
CREATE ROLE "regress; DROP TABLE pgq.job; --";
CREATE ROLE "regress, public";
CREATE ROLE "regress_é€";
CREATE VIEW regress.hostile AS SELECT rolname::text AS role FROM pg_roles WHERE rolname ~ '^regress[^a-z]' AND rolname !~ '^regress_[a-z]' ORDER BY rolname;
SELECT role, pgq.grant_admin(role) FROM regress.hostile;
SELECT role, has_function_privilege(role, 'pgq.clear(text[])', 'EXECUTE') AS admin, has_any_column_privilege(role, 'pgq.jobs', 'SELECT') AS sees,
       has_table_privilege(role, 'pgq.jobs', 'INSERT') AS inserts, has_schema_privilege(role, 'pgq', 'USAGE') AS uses FROM regress.hostile;
SET ROLE "regress""quote";
SELECT pgq.enqueue('q', 'by a quote') AS id \gset
SELECT id = :id AS its_own, status FROM pgq.status(ARRAY[:id]);
SELECT pgq.clear();
RESET ROLE;
SELECT count(*) FROM pg_proc AS p, aclexplode(p.proacl) AS a WHERE p.pronamespace = 'pgq'::regnamespace AND a.grantee = 0;
SELECT role, pgq.revoke_all(role) FROM regress.hostile;
SELECT role, has_function_privilege(role, 'pgq.clear(text[])', 'EXECUTE') AS admin, has_any_column_privilege(role, 'pgq.jobs', 'SELECT') AS sees,
       has_table_privilege(role, 'pgq.jobs', 'INSERT') AS inserts, has_schema_privilege(role, 'pgq', 'USAGE') AS uses FROM regress.hostile;
DROP ROLE "regress Upper", "regress""quote", "regress'apostrophe", "regress\backslash", "regress; DROP TABLE pgq.job; --", "regress, public", "regress_é€";
