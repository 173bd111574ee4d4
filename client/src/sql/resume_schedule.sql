SELECT pgq.resume_schedule($1)
