SELECT pgq.grant_worker($1)
