SELECT unnest(pgq.finish($1, array_fill('failed'::text, ARRAY[cardinality($1)]), $2, worker => $3, attempts => $4))
