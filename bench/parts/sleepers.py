"""Sessions that sit in CALL pgq.wait."""
import subprocess
import time
from contextlib import contextmanager

from drain import DATABASE
from server import Failure

ASLEEP = f"datname = '{DATABASE}' AND state = 'active' AND wait_event_type = 'Extension' AND query LIKE 'CALL pgq.wait%'"


@contextmanager
def sleepers(server, count, entrypoint):
    """So many of them, from when all sleep. They are ended afterwards."""
    command = [*server.psql(DATABASE), "-c", f"CALL pgq.wait('{{{entrypoint}}}', '1 h')"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    sessions = [subprocess.Popen([str(word) for word in command], **quiet) for _ in range(count)]
    try:
        until_all_sleep(server, sessions)
        yield
    finally:
        server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ASLEEP}")
        for session in sessions:
            session.kill()
            session.wait()
            session.stderr.close()


def until_all_sleep(server, sessions):
    deadline = time.monotonic() + 30
    while server.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {ASLEEP}") != [[str(len(sessions))]]:
        for session in sessions:
            if session.poll() is not None:
                raise Failure(f"a session did not wait: {session.stderr.read().decode().strip()}")
        if time.monotonic() > deadline:
            raise Failure("not all sessions sleep in pgq.wait")
        time.sleep(0.05)
