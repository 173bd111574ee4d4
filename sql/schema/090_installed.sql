-- The last word of the installation: says so where the library is not preloaded.

CREATE FUNCTION pgq.installed() RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'installed_wrapper';
REVOKE ALL ON FUNCTION pgq.installed() FROM PUBLIC;
COMMENT ON FUNCTION pgq.installed() IS 'Warns where the library is not preloaded. Internal: called by CREATE EXTENSION.';
SELECT pgq.installed();
