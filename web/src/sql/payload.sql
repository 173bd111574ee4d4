-- The beginning of a job's payload. $1 id, $2 the prefix, $3 how many bytes.
SELECT substring(j.payload FOR $3::int), octet_length(j.payload) FROM pgq.jobs AS j
 WHERE j.id = $1 AND starts_with(j.entrypoint, $2) AND j.payload IS NOT NULL
