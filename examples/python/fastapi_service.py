"""A FastAPI service with asyncpg: a new member and the job to write a welcome mail are saved together, or neither is.

    uvicorn --app-dir examples/python fastapi_service:app
    curl -i -H 'Content-Type: application/json' -d '{"address": "ada@example.org"}' http://127.0.0.1:8000/members
"""

import json
import os
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

# Deferred, so that a second member of the same address fails at the COMMIT, when the job is enqueued already.
TABLE = """CREATE TABLE IF NOT EXISTS member (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, address text UNIQUE DEFERRABLE INITIALLY DEFERRED)"""


class Member(BaseModel):
    address: Annotated[str, Field(pattern="^[!-~]+@[!-~]+$", max_length=254)]


@asynccontextmanager
async def lifespan(app):
    # Opened here, and not at import: a pool of asyncpg belongs to the event loop that serves.
    async with asyncpg.create_pool(os.environ["PGQUEUER_DSN"], min_size=1) as app.state.pool:
        await app.state.pool.execute(TABLE)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/members", status_code=201)
async def join(member: Member):
    mail = {"to": member.address, "text": "Welcome!"}
    try:
        # Here, not in a dependency with yield: what stands after its yield runs when the answer has been sent, and a
        # COMMIT that fails there is told to nobody.
        async with app.state.pool.acquire() as db, db.transaction():
            number = await db.fetchval("INSERT INTO member (address) VALUES ($1) RETURNING id", member.address)
            # Over db: the pool would take another connection and commit at once. asyncpg wants JSON as a str.
            job = await db.fetchval("SELECT pgq.enqueue('welcome', payload_jsonb => $1)", json.dumps(mail))
    except asyncpg.UniqueViolationError:
        raise HTTPException(409, "This address is a member already.")
    return {"member": number, "job": job}
