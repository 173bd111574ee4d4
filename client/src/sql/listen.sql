SELECT pgq.listen($1)
