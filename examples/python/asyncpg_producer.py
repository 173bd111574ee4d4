"""Enqueues welcome mails with asyncpg: python asyncpg_producer.py ADDRESS…"""

import asyncio
import json
import os
import sys
from datetime import timedelta

import asyncpg

addresses = sys.argv[1:] or ["ada@example.org"]
mails = [json.dumps({"to": address, "text": "Welcome!"}) for address in addresses]


async def main():
    db = await asyncpg.connect(os.environ["PGQUEUER_DSN"])
    # Without a transaction each call commits by itself: here all of them do, or none.
    async with db.transaction():
        # JSON is a str for asyncpg, never a dict; payload_jsonb => has the server check it.
        job = await db.fetchval("SELECT pgq.enqueue('welcome', payload_jsonb => $1, priority => 5)", mails[0])
        print("as JSON, before the others:", job)

        # asyncpg sends no types, so a bare $1 is text, and bytes for it an error. An interval is a timedelta.
        enqueue = "SELECT pgq.enqueue('welcome', payload_bytes => $1, delay => $2)"
        print("as bytes, in a second:", await db.fetchval(enqueue, mails[0].encode(), timedelta(seconds=1)))

        # One entrypoint for all payloads, and still a list. enqueue_many would want bytes.
        jobs = await db.fetchval("SELECT pgq.enqueue_many_text($1, $2)", ["welcome"], mails)
        print("all of them, in one call:", jobs)
    await db.close()


asyncio.run(main())
