-- A text as a time. $1 the text, $2 the time zone in which it is read.
WITH zone AS MATERIALIZED (SELECT set_config('TimeZone', $2, true))
SELECT $1::text::timestamptz FROM zone
