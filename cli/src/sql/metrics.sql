SELECT pgq.metrics()
