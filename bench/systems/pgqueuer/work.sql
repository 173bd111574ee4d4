-- One turn of a worker, in two transactions: claim a batch, end it. An empty claim gives no row, which ends the client.
SELECT array_agg(id) AS ids FROM pgq.dequeue('{fetch}', :batch) HAVING count(*) > 0 \gset
SELECT pgq.complete_many(:ids);
