-- The server, the extension here, and that of the server's files.
SELECT row_to_json(v)
  FROM (SELECT current_setting('server_version') AS postgresql,
               (SELECT x.extversion FROM pg_extension AS x WHERE x.extname = 'pgqueuer') AS extension,
               (SELECT a.default_version FROM pg_available_extensions AS a WHERE a.name = 'pgqueuer') AS available,
               pg_is_in_recovery() AS standby) AS v
