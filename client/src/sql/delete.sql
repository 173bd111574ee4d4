SELECT unnest(pgq.delete($1))
