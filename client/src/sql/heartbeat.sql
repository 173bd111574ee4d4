SELECT unnest(pgq.heartbeat($1, make_interval(secs => $2), $3))
