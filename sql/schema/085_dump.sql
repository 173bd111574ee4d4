-- pg_dump of 12 to 14 crashes over tables that are members of an extension, dumped with it, and partitions: it looks for their
-- parents only where there is something else to dump of them, and goes on as if it had found them. What keeps it from that is a
-- privilege that was given when the extension was made and has been taken since. None is: of the partitions of the log it is noted
-- that pg_monitor could read them, so that a dump says REVOKE, which changes nothing where it is restored.

DELETE FROM pg_catalog.pg_init_privs AS p
 USING pg_catalog.pg_class AS c
 WHERE p.objoid = c.oid AND p.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objsubid = 0
   AND c.relnamespace = 'pgq'::pg_catalog.regnamespace AND c.relispartition AND c.relkind = 'r'
   AND pg_catalog.current_setting('server_version_num')::int < 150000;
INSERT INTO pg_catalog.pg_init_privs (objoid, classoid, objsubid, privtype, initprivs)
SELECT c.oid, 'pg_catalog.pg_class'::pg_catalog.regclass, 0, 'e',
       coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))
       || pg_catalog.makeaclitem('pg_monitor'::pg_catalog.regrole, c.relowner, 'SELECT', false)
  FROM pg_catalog.pg_class AS c
 WHERE c.relnamespace = 'pgq'::pg_catalog.regnamespace AND c.relispartition AND c.relkind = 'r'
   AND pg_catalog.current_setting('server_version_num')::int < 150000;
