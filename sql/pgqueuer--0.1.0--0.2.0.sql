-- From 0.1.0 to 0.2.0. What it leaves behind is what 0.2.0 installs: tests/e2e/tests/upgrade.rs compares the two.

-- A library that does not know the new functions cannot be asked for them, and would say no more than that.
DO $$
BEGIN
    IF pg_catalog.string_to_array(pgq.library_version(), '.')::int[] < '{0,2,0}' THEN
        RAISE EXCEPTION 'pgqueuer 0.2.0 needs its own library, and the server has loaded that of %', pgq.library_version()
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Install the library of 0.2.0, restart the server, then ALTER EXTENSION pgqueuer UPDATE. Until then 0.1.0 goes on.';
    END IF;
END
$$;
