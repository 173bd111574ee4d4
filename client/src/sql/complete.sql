SELECT pgq.complete_many($1, $2, $3)
