-- What is there of the extension: its version here, that of the server's files, and whether anything is in its schema.
SELECT row_to_json(e)
  FROM (SELECT (SELECT x.extversion FROM pg_extension AS x WHERE x.extname = 'pgqueuer') AS installed,
               (SELECT a.default_version FROM pg_available_extensions AS a WHERE a.name = 'pgqueuer') AS available,
               EXISTS (SELECT FROM pg_depend AS d WHERE d.refclassid = 'pg_namespace'::regclass
                          AND d.refobjid = to_regnamespace('pgq') AND d.classid <> 'pg_extension'::regclass) AS remains) AS e
