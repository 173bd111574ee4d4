-- The scripts that lead from a version to another, as "0.1.0--0.2.0--0.3.0"; NULL where none do. $1 from, $2 to.
SELECT (SELECT p.path FROM pg_extension_update_paths('pgqueuer') AS p WHERE p.source = $1 AND p.target = $2)
