SELECT id, status::text, attempts, error, finished_at FROM pgq.status($1)
