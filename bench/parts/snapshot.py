"""Claim and finish after many jobs have come and gone while another session kept an old snapshot open.

The past is consumed in large batches: it leaves the same dead rows and index entries, and takes an age less for a queue
whose claims walk over them. Then comes what autovacuum would have done, which an old snapshot makes useless.
"""
import sys
from dataclasses import dataclass

from drain import DATABASE, SYSTEMS, Size, fill, work
from figures import Figure
from server import Failure

WHAT = "claim + finish, batches of 50, 4 sessions, a past behind it"
PAST_BATCH = 1000


@dataclass(frozen=True)
class Done:
    """What the clients got done, and in how many seconds."""

    jobs: int
    seconds: float
    past: int

    def rate(self):
        return self.jobs / self.seconds


def snapshot(server, sizes):
    for system in SYSTEMS:
        without, under = (done_with_past(server, system, old, sizes) for old in (False, True))
        for commit in without:
            yield line(system, commit, without[commit], under[commit], sizes)


def done_with_past(server, system, old_snapshot, sizes):
    """What was done for each synchronous_commit, in one database, one after the other."""
    with server.fresh_database(DATABASE):
        server.sql(system.text("install.sql"), DATABASE)
        with server.snapshot(DATABASE, old_snapshot):
            fill(server, system, "off", sizes.past)
            server.sql("ANALYZE", DATABASE)
            past = drained(server, system, "off", Size(sizes.past, 4, PAST_BATCH, 1), 5 * sizes.limit, 0)
            server.sql(f"VACUUM (ANALYZE) {system.jobs}", DATABASE)
            done = {}
            for commit in "on", "off":
                fill(server, system, commit, sizes.jobs)
                done[commit] = drained(server, system, commit, Size(sizes.jobs, 4, 50, 1), sizes.limit, past.jobs)
                snapshot = "with" if old_snapshot else "without"
                say = f"{system.name}, {snapshot} an old snapshot, synchronous_commit = {commit}, {past.jobs:,} jobs behind it"
                print(f"{say}: {done[commit].rate():,.0f} jobs/s", file=sys.stderr)
            return done


def drained(server, system, commit, size, limit, past):
    """Drains the queue, or for as long as the limit says; counts what was claimed from now on."""
    [[begin]] = server.sql("SELECT clock_timestamp()")
    work(server, system, commit, size, limit)
    [[rows, jobs, seconds]] = server.sql(
        "SELECT count(*), count(DISTINCT job_id), extract(epoch FROM max(finished) - min(picked)) "
        f"FROM {system.log} WHERE picked >= '{begin}' AND outcome = 'successful'",
        DATABASE,
    )
    if rows != jobs or rows == "0":
        raise Failure(f"{system.name}: the log has {rows} rows of {jobs} jobs")
    return Done(int(jobs), float(seconds), past)


def line(system, commit, without, under, sizes):
    ratio = under.rate() / without.rate()
    cut = "" if under.jobs >= sizes.jobs else f", cut short after {under.jobs:,} jobs"
    past = f"{under.past:,} jobs before"
    return Figure(
        WHAT,
        f"{system.name}, synchronous_commit = {commit}, under an old snapshot, {past}{cut}",
        f"{under.rate():,.0f}/s",
        f"no old snapshot: {without.rate():,.0f}/s",
        f"{ratio:.2f} ×",
        ("≥ 0.8 ×", ratio >= 0.8) if system is SYSTEMS[0] else (),
    )
