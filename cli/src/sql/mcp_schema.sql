-- Tables of the queue, with their sizes; rows as the statistics have them.
SELECT row_to_json(t)
  FROM (SELECT 'pgq.' || c.relname AS name, c.relpersistence = 'p' AS survives_a_crash,
               greatest(c.reltuples, 0)::bigint AS estimated_rows, pg_total_relation_size(c.oid) AS bytes
          FROM pg_class AS c
         WHERE c.relnamespace = 'pgq'::regnamespace AND c.relkind = 'r' ORDER BY 1) AS t
