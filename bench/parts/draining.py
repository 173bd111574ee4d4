"""Claim and finish: four sessions with batches, and a crowd with single jobs."""
import sys
from collections import defaultdict

from drain import SYSTEMS, Condition, Size, measure
from figures import compared

BATCHES = "claim + finish, batches of 50, 4 sessions"
SINGLES = "claim + finish, one at a time, 32 sessions"


def batches(server, sizes):
    size = Size(sizes.jobs, clients=4, batch=50, rounds=sizes.rounds)
    for commit in "on", "off":
        speeds = speeds_of(server, Condition(commit, old_snapshot=False), size)
        condition = f"{size.jobs:,} jobs, synchronous_commit = {commit}"
        yield compared(BATCHES, condition, *speeds, least=2.5)


def singles(server, sizes):
    size = Size(sizes.single_jobs, clients=32, batch=1, rounds=sizes.rounds)
    speeds = speeds_of(server, Condition("on", old_snapshot=False), size)
    yield compared(SINGLES, f"{size.jobs:,} jobs, synchronous_commit = on", *speeds)


def speeds_of(server, condition, size):
    """Jobs a second of each system, round by round."""
    speeds = defaultdict(list)
    for number in range(1, size.rounds + 1):
        for system in SYSTEMS:
            speed = measure(server, system, condition, size).jobs_per_second
            speeds[system].append(speed)
            print(f"{condition}, batch {size.batch}, round {number}, {system.name}: {speed:,.0f} jobs/s", file=sys.stderr)
    return [speeds[system] for system in SYSTEMS]
