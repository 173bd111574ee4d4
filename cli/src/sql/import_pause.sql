-- Pauses an entrypoint. $1 its name.
SELECT pgq.pause($1)
