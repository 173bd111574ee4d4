CALL pgq.wait_for_any($1, make_interval(secs => $2))
