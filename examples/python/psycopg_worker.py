"""A worker with psycopg 3 whose jobs write to the database: python psycopg_worker.py

What a job writes and its end are one transaction: each mail is noted once, even if this program is killed anywhere.
"""

import contextlib
import json
import os
import signal
import time

import psycopg

TABLE = "CREATE TABLE IF NOT EXISTS sent (job bigint PRIMARY KEY, address text NOT NULL CHECK (address ~ '@'))"
stopping = busy = False


def stop(*_):
    """Lets a job end. At any other place it interrupts; psycopg then cancels the CALL on the server, too."""
    global stopping
    stopping = True
    if not busy:
        raise KeyboardInterrupt


def run(db, job, payload):
    try:
        mail = json.loads(payload)
        time.sleep(mail.get("seconds", 0))  # What takes long stands before the transaction.
        with db.transaction():
            db.execute("INSERT INTO sent VALUES (%s, %s)", [job, mail["to"]])
            if db.execute("SELECT pgq.complete(%s)", [job]).fetchone() == (False,):
                raise psycopg.Rollback  # Somebody has canceled the job: then nothing is noted.
    except Exception as error:
        # After the block, which has rolled back. Inside it every call after an error fails with 25P02.
        db.execute("SELECT pgq.fail(%s, %s)", [job, repr(error)])


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
delay = 1
with contextlib.suppress(KeyboardInterrupt):
    while not stopping:
        try:
            # autocommit: in the transaction that psycopg begins otherwise pgq.wait fails.
            with psycopg.connect(os.environ["PGQUEUER_DSN"], autocommit=True) as db:
                db.execute(TABLE)
                while not stopping:
                    db.execute("CALL pgq.wait(%s)", [["welcome"]])  # Until there is a job, or 30 s have passed.
                    busy, delay = True, 1
                    for job in db.execute("SELECT id, payload FROM pgq.dequeue(%s)", [["welcome"]]).fetchall():
                        run(db, *job)
                    busy = False
        except psycopg.OperationalError as error:
            busy = False
            print(f"next try in {delay} s: {error}", flush=True)
            time.sleep(delay)
            delay = min(2 * delay, 30)
