-- All numbers of the queue, and when.
SELECT now(), pgq.metrics()
