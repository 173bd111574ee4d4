-- Lets the triggers of pgq.jobs fire whatever session_replication_role says.
-- Called by: installation.rs, where pg_upgrade restores them. Index: pg_trigger_tgrelid_tgname_index. Locks: three rows of the catalog.
UPDATE pg_catalog.pg_trigger AS t SET tgenabled = 'A' WHERE t.tgrelid = 'pgq.jobs'::pg_catalog.regclass AND t.tgenabled <> 'A'
