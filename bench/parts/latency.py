"""Times between sessions, from a compiled client: the end of a session to its job's being free, a commit to a worker's
waking."""
import math
import sys
from collections import defaultdict
from pathlib import Path

from drain import DATABASE
from figures import Figure, percentile
from server import run, setting

CRATE = Path(__file__).resolve().parent.parent / "latency"
ENDS = {"closed": "its client closes", "terminated": "pg_terminate_backend"}
RELEASES = {"seen": "pgq.jobs shows it queued", "claimed": "a session in pgq.wait has claimed it"}
FLOOR = "notify"
# The ways take turns, because the disk and the machine have moods.
TURNS = 5
WAKES = {"wait": "CALL pgq.wait returns", "listen": "who did pgq.listen is notified", FLOOR: "NOTIFY in the transaction"}


def release(server, sizes):
    client = built()
    for what, words in RELEASES.items():
        lines = rounds(server, client, what, sizes.ends)
        for end, how in ENDS.items():
            times = [int(line[1]) / 1000 for line in lines if line[0] == end]
            yield Figure(
                f"session end → {words}, ms",
                f"{how}, {len(times)} times",
                f"median {percentile(times, 0.5):.2f}, worst {max(times):.2f}",
                aim=("worst < 100", max(times) < 100),
            )


def wake(server, sizes):
    client = built()
    sent, answered = defaultdict(list), defaultdict(list)
    for _ in range(TURNS):
        for what in WAKES:
            lines = rounds(server, client, what, math.ceil(sizes.wakes / TURNS))
            sent[what] += [int(line[0]) / 1000 for line in lines]
            answered[what] += [int(line[1]) / 1000 for line in lines]
    for what in WAKES:
        if what != FLOOR:
            yield figure(what, sent)
    yield from_the_answer(answered)


def figure(what, times):
    ours, floor = times[what], times[FLOOR]
    reached = percentile(ours, 0.5) <= percentile(floor, 0.5) and percentile(ours, 0.99) <= percentile(floor, 0.99)
    return Figure(
        f"COMMIT of an enqueue → {WAKES[what]}, ms",
        f"idle worker, {len(ours)} times",
        percentiles(ours),
        f"{WAKES[FLOOR]}: {percentiles(floor)}",
        f"{percentile(ours, 0.5) / percentile(floor, 0.5):.2f} ×, {percentile(ours, 0.99) / percentile(floor, 0.99):.2f} ×",
        ("no worse", reached),
    )


def percentiles(times):
    return f"p50 {percentile(times, 0.5):.2f}, p99 {percentile(times, 0.99):.2f}"


def from_the_answer(times):
    """The same rounds by another start: when the committing session has its answer. Negative: woken before that."""
    lines = ["| after the answer to COMMIT, ms | p1 | p50 | p99 | worst |", "| --- | ---: | ---: | ---: | ---: |"]
    for what, words in WAKES.items():
        values = [percentile(times[what], share) for share in (0.01, 0.5, 0.99)] + [max(times[what])]
        lines.append(f"| {words} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    return "\n".join(lines)


def built():
    """The client, compiled."""
    target = Path(setting("CARGO_TARGET_DIR")) / "bench"
    manifest = CRATE / "Cargo.toml"
    run(["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", manifest, "--target-dir", target])
    return target / "release" / "pgqueuer-latency"


def rounds(server, client, what, count):
    """What the client printed, in words."""
    with server.fresh_database(DATABASE):
        server.sql("CREATE EXTENSION pgqueuer", DATABASE)
        print(f"{what}: {count} rounds", file=sys.stderr)
        return [line.split() for line in run([client, server.database(DATABASE), what, count], timeout=600).splitlines()]
