SELECT unnest(pgq.cancel($1))
