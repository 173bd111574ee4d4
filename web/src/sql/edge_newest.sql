-- The last of so many jobs, the newest first, or none where there are fewer. $1 ids below this one, $2 how many.
SELECT k.id FROM pgq.job AS k WHERE k.id < $1 ORDER BY k.id DESC OFFSET $2::bigint - 1 LIMIT 1
