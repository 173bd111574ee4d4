-- Takes a schedule over. $1 name, $2 expression, $3 entrypoint, $4 next tick, $5 last tick. NULL where the name is taken.
SELECT pgq.import_schedule($1, $2, $3, $4::text::timestamptz, $5::text::timestamptz)
