-- What a call of a producer with 1000 jobs costs at least: the rows and their index entries.
INSERT INTO bare.job (entrypoint, payload)
SELECT 'fetch', payload FROM unnest(array_fill(convert_to(repeat('x', 100), 'UTF8'), ARRAY[1000])) AS payload;
