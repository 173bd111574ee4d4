-- One call of a producer: 1000 jobs with 100 bytes of payload each.
SELECT count(*) FROM unnest(pgq.enqueue_many('{fetch}', array_fill(convert_to(repeat('x', 100), 'UTF8'), ARRAY[1000])));
