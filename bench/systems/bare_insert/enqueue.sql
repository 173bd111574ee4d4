-- What one call of a producer costs at least: the row and its index entries.
INSERT INTO bare.job (entrypoint, payload) VALUES ('fetch', convert_to(repeat('x', 100), 'UTF8'));
