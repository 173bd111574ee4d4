"""A Flask service with psycopg 3: a new member and the job to write a welcome mail are saved together, or neither is.

    flask --app examples/python/flask_service run
    curl -i -H 'Content-Type: application/json' -d '{"address": "ada@example.org"}' http://127.0.0.1:5000/members
"""

import os
import re

from flask import Flask, abort, request
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

# Deferred, so that a second member of the same address fails at the COMMIT, when the job is enqueued already.
TABLE = """CREATE TABLE IF NOT EXISTS member (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, address text UNIQUE DEFERRABLE INITIALLY DEFERRED)"""

# check: connections that a restart of the server has cut are replaced; else each would fail one request.
pool = ConnectionPool(os.environ["PGQUEUER_DSN"], open=True, check=ConnectionPool.check_connection)
with pool.connection() as db:
    db.execute(TABLE)

app = Flask(__name__)


@app.post("/members")
def join():
    member = request.get_json()
    address = str(member.get("address")) if isinstance(member, dict) else ""
    if not re.fullmatch("[!-~]+@[!-~]+", address):
        abort(422, "no address")
    try:
        # The end of the block commits, before the answer is sent. To give up inside it, raise or abort(): `return
        # "sorry", 409` would commit, too.
        with pool.connection() as db:
            (number,) = db.execute("INSERT INTO member (address) VALUES (%s) RETURNING id", [address]).fetchone()
            mail = Jsonb({"to": address, "text": "Welcome!"})
            (job,) = db.execute("SELECT pgq.enqueue('welcome', payload_jsonb => %s)", [mail]).fetchone()
    except UniqueViolation:
        abort(409, "This address is a member already.")
    return {"member": number, "job": job}, 201
