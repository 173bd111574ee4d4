-- Whether the extension here can import: it could not before 0.2.0.
SELECT count(*) = 2 FROM pg_proc AS p
 WHERE p.pronamespace = to_regnamespace('pgq') AND p.proname IN ('import_jobs', 'import_schedule')
