-- Says that this database is where the schedules tick, as an installation of its own: what is brought from the one that it was
-- copied from is known again. Also where somebody has removed the row.
-- Called by: installation.rs. Parameters: system identifier, database, table of jobs, major version.
-- Reads one row. Locks: it.
WITH known AS (
    UPDATE pgq.installation AS i SET id = pgq.new_installation(), system = $1::bigint, database = $2::oid, job = $3::oid, major = $4::int, armed = true
    RETURNING i.id
)
INSERT INTO pgq.installation (id, system, database, job, major, armed)
SELECT pgq.new_installation(), $1::bigint, $2::oid, $3::oid, $4::int, true WHERE NOT EXISTS (SELECT FROM known)
