SELECT pgq.grant_monitor($1)
