-- Those of these jobs that belong to an application. $1 ids, $2 the prefix of their entrypoints.
SELECT row_to_json(k) FROM (SELECT k.id FROM pgq.job AS k WHERE k.id = ANY ($1) AND starts_with(k.entrypoint, $2)) AS k
