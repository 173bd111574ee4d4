-- All numbers of the queue.
SELECT pgq.metrics()
