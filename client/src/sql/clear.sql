SELECT pgq.clear($1)
