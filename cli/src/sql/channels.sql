-- Begins to listen to entrypoints. $1 their names. Gives the channel of each.
SELECT e.entrypoint, pgq.channel(e.entrypoint) FROM unnest($1::text[]) AS e(entrypoint)
 WHERE EXISTS (SELECT FROM pgq.listen($1))
