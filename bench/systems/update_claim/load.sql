-- One call of a producer: 1000 jobs with 100 bytes of payload each.
INSERT INTO queue.job (id, created, due, entrypoint, producer, payload) SELECT nextval('queue.job_id_seq'), clock_timestamp(), clock_timestamp(), 'fetch', current_user, convert_to(repeat('x', 100), 'UTF8') FROM generate_series(1, 1000);
