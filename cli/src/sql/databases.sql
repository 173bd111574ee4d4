-- Databases of this server that this role may connect to.
SELECT row_to_json(d)
  FROM (SELECT d.datname AS name FROM pg_database AS d
         WHERE d.datallowconn AND NOT d.datistemplate AND has_database_privilege(d.oid, 'CONNECT') ORDER BY 1) AS d
