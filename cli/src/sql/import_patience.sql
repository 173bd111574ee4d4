-- How long this transaction waits for a lock. $1 with its unit.
SELECT set_config('lock_timeout', $1, true)
