SELECT coalesce(sum(count), 0)::bigint FROM pgq.queue_size() WHERE status::text = 'queued' AND entrypoint = ANY ($1)
