SELECT unnest(pgq.reschedule($1, $2, $3))
