SELECT pgq.pause($1)
