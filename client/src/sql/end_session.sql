-- One of this login's own; it may be gone already. Waits up to a second for its end.
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE pid = $1 AND usename = session_user
