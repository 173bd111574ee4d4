"""Waiting for a condition: the one place that asks again and again."""

import time

DEADLINE = 30.0


def until(condition):
    """Asks the condition until its answer is true, and returns that answer. Each asking costs a round trip to the
    server, which is pause enough; the deadline only keeps a broken queue from hanging the run."""
    end = time.monotonic() + DEADLINE
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, "the condition did not come true"


async def until_async(condition):
    """As until, for a condition to await."""
    end = time.monotonic() + DEADLINE
    while True:
        answer = await condition()
        if answer:
            return answer
        assert time.monotonic() < end, "the condition did not come true"
