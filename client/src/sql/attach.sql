SELECT pgq.attach($1)
