SELECT pgq.unschedule($1)
