-- Says that this database is where the schedules tick, or that it is not.
-- Called by: arm.rs. Parameters: system identifier, database, table of jobs, major version, whether they tick.
-- Reads one row. Locks: it.
UPDATE pgq.installation AS i SET system = $1::bigint, database = $2::oid, job = $3::oid, major = $4::int, armed = $5::boolean
