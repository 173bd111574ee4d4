SELECT pgq.grant_producer($1)
