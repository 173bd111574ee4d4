SELECT pgq.resume($1)
