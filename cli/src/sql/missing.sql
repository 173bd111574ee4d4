-- Tables, views, functions and procedures of the contract that are not there.
SELECT row_to_json(m)
  FROM (SELECT 'pgq.' || n.name AS name
          FROM unnest('{jobs,job,job_log,entrypoints,schedules,workers,receipt,log_ring,installation}'::text[]) AS n(name)
         WHERE to_regclass('pgq.' || n.name) IS NULL
        UNION ALL
        SELECT 'pgq.' || n.name
          FROM unnest(ARRAY[
                   'enqueue(text,text,int,timestamptz,interval,text,text,jsonb,text)',
                   'enqueue(text,bytea,int,timestamptz,interval,text,text,jsonb,text)',
                   'enqueue(text,json,int,timestamptz,interval,text,text,jsonb,text)',
                   'enqueue(text,jsonb,int,timestamptz,interval,text,text,jsonb,text)',
                   'enqueue_many(text[],bytea[],int[],timestamptz[],text[],text,jsonb[],text[])',
                   'enqueue_many_text(text[],text[],int[],timestamptz[],text[],text,jsonb[],text[])',
                   'dequeue(text[],int,uuid,interval,int)', 'complete(bigint,uuid,int)', 'complete_many(bigint[],uuid,int[])',
                   'fail(bigint,text,uuid,int)', 'fail(bigint,json,uuid,int)', 'fail(bigint,jsonb,uuid,int)',
                   'retry(bigint,interval,text,uuid,int)', 'finish(bigint[],text[],jsonb[],uuid,int[])',
                   'release(bigint[],uuid,int[])', 'heartbeat(uuid,interval,bigint[])', 'attach(uuid)',
                   'wait(text[],interval,boolean)', 'wait_for(bigint[],interval,boolean)', 'wait_for_any(bigint[],interval,boolean)',
                   'listen(text[])', 'channel(text)',
                   'cancel(bigint[])', 'delete(bigint[])', 'clear(text[])', 'requeue(bigint[])',
                   'reschedule(bigint[],timestamptz,int)', 'pause(text)', 'resume(text)',
                   'configure(text,int,int,interval,interval,float8,text,int,int,interval)',
                   'schedule(text,text,text,text,text,int,jsonb,text,boolean,text,bytea)', 'unschedule(text)',
                   'pause_schedule(text)', 'resume_schedule(text)', 'cron_next(text,timestamptz,text,int)', 'arm()',
                   'import_jobs(text[],bytea[],int[],timestamptz[],text[],text,jsonb[],text[],timestamptz[],int[],timestamptz[],jsonb[])',
                   'import_schedule(text,text,text,timestamptz,timestamptz)',
                   'payload_text(bytea)', 'payload_json(bytea)', 'status(bigint[])', 'queue_size()', 'throughput(interval)',
                   'latency(interval)', 'metrics()', 'health()', 'explain(bigint)',
                   'set_durability(text)', 'grant_producer(text)', 'grant_worker(text)', 'grant_monitor(text)', 'grant_admin(text)',
                   'revoke_all(text)']) AS n(name)
         WHERE to_regprocedure('pgq.' || n.name) IS NULL) AS m
