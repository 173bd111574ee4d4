-- Whether all is well.
SELECT row_to_json(h) FROM pgq.health() AS h
