SELECT unnest(pgq.release($1, $2, $3))
