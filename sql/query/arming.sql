-- Whether this database is the one that the extension was made or armed in: said so, the same table of jobs, the same system
-- and database, another major version of the server (pg_upgrade changes the system identifier with it), and whether there
-- are schedules that came from elsewhere, or any at all. Then the version of the row.
-- Called by: installation.rs. Parameters: system identifier, database, table of jobs, major version.
-- Index: schedules_installation_idx, its two ends.
SELECT i.armed, i.job = $3::oid, i.system = $1::bigint AND i.database = $2::oid, i.major <> $4::int,
       EXISTS (SELECT FROM pgq.schedules AS s WHERE s.installation < i.id)
           OR EXISTS (SELECT FROM pgq.schedules AS s WHERE s.installation > i.id),
       EXISTS (SELECT FROM pgq.schedules AS s), i.xmin::text
  FROM pgq.installation AS i
