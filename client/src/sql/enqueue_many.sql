-- $4 and $5 are empty where every job may start now.
SELECT pgq.enqueue_many($1, $2, $3,
           (SELECT array_agg(coalesce(s.at, clock_timestamp() + make_interval(secs => s.delay)) ORDER BY s.place)
              FROM unnest($4::timestamptz[], $5::float8[]) WITH ORDINALITY AS s (at, delay, place)),
           $6, $7, $8, $9)
