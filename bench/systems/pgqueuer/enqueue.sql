-- One call of a producer: a job with 100 bytes of payload.
SELECT pgq.enqueue('fetch', repeat('x', 100));
