-- Writes down what a copy or an upgrade has changed, unless somebody has armed the database meanwhile.
-- Called by: installation.rs. Parameters: system identifier, database, table of jobs, major version, whether schedules tick, the version
-- of the row that arming.sql has seen, and whether it is an installation of its own from now on. Reads one row. Locks: it.
UPDATE pgq.installation AS i
   SET id = CASE WHEN $7::boolean THEN pgq.new_installation() ELSE i.id END, system = $1::bigint, database = $2::oid, job = $3::oid, major = $4::int, armed = $5::boolean
 WHERE i.xmin::text = $6
RETURNING 1
