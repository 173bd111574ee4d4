-- Installations of the Python PgQueuer in this database. $1 the schema or NULL, $2 the prefix of its tables or NULL.
-- One is known by the name of its table of jobs and the columns that it has had from the beginning.
SELECT row_to_json(i)
  FROM (SELECT n.nspname AS schema, left(c.relname, -length('pgqueuer')) AS prefix, format('%I.%I', n.nspname, c.relname) AS queue,
               (SELECT format('%I.%I', n.nspname, l.relname) FROM pg_class AS l
                 WHERE l.relnamespace = n.oid AND l.relname = c.relname || '_log' AND l.relkind IN ('r', 'p')) AS log,
               (SELECT format('%I.%I', n.nspname, s.relname) FROM pg_class AS s
                 WHERE s.relnamespace = n.oid AND s.relname = c.relname || '_schedules' AND s.relkind IN ('r', 'p')) AS schedules
          FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND c.relname LIKE '%pgqueuer' AND n.nspname !~ '^pg_' AND n.nspname <> 'pgq'
           AND ($1::text IS NULL OR n.nspname = $1) AND ($2::text IS NULL OR c.relname = $2 || 'pgqueuer')
           AND (SELECT count(*) FROM pg_attribute AS a
                 WHERE a.attrelid = c.oid AND NOT a.attisdropped
                   AND a.attname IN ('id', 'priority', 'created', 'status', 'entrypoint', 'payload')) = 6
         ORDER BY 1, 2) AS i
