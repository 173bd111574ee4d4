SELECT unnest(pgq.requeue($1))
