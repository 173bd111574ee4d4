SELECT pgq.pause_schedule($1)
