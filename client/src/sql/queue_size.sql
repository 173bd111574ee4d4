SELECT entrypoint, priority, status::text, count FROM pgq.queue_size()
