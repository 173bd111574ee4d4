-- Removes jobs or schedules from a table of the old queue. $1 ids.
DELETE FROM {table} WHERE id = ANY ($1)
