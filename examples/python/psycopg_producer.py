"""Enqueues welcome mails with psycopg 3: python psycopg_producer.py ADDRESS…"""

import json
import os
import sys
from datetime import timedelta

import psycopg
from psycopg.types.json import Jsonb

addresses = sys.argv[1:] or ["ada@example.org"]
mails = [{"to": address, "text": "Welcome!"} for address in addresses]

# The end of the block commits, an exception in it rolls back. Without the block psycopg drops the transaction that it
# has begun by itself, and the jobs with it, unless you call db.commit().
with psycopg.connect(os.environ["PGQUEUER_DSN"]) as db:

    def enqueue(sql, *parameters):
        return db.execute(sql, parameters).fetchone()[0]

    # psycopg takes no bare dict, and payload_jsonb => says which form of pgq.enqueue is meant.
    job = enqueue("SELECT pgq.enqueue('welcome', payload_jsonb => %s, priority => 5)", Jsonb(mails[0]))
    print("as JSON, before the others:", job)

    # Plain payload => takes text alone.
    data = json.dumps(mails[0]).encode()
    job = enqueue("SELECT pgq.enqueue('welcome', payload_bytes => %s, delay => %s)", data, timedelta(seconds=1))
    print("as bytes, in a second:", job)

    # enqueue_many takes bytes and would read the backslashes in a list of str as escapes.
    jobs = enqueue("SELECT pgq.enqueue_many_text(%s, %s)", ["welcome"], [json.dumps(mail) for mail in mails])
    print("all of them, in one call:", jobs)
