"""Waiting for a condition: the one place that asks again and again."""

import time

DEADLINE = 30.0


def until(condition, what):
    """Asks the condition until its answer is true, and returns that answer. Each asking starts a program or reads a file,
    which is pause enough; the deadline only keeps a broken server from hanging the run."""
    end = time.monotonic() + DEADLINE
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, what() if callable(what) else what
