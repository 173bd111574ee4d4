CALL pgq.wait_for($1, make_interval(secs => $2))
