-- Those of these jobs that are shown here. $1 ids, $2 the prefix of their entrypoints.
SELECT k.id FROM pgq.job AS k WHERE k.id = ANY ($1) AND starts_with(k.entrypoint, $2)
