"""The table, and what it was measured on."""
import dataclasses
import filecmp
import os
import statistics
import time
from pathlib import Path

from drain import CONDITIONS, SYSTEMS, Figures
from server import CHECKOUT, SETTINGS, Failure, run, setting

FLUSHES = 200

HEAD = """\
| system | synchronous_commit | old snapshot | jobs/s | of update claim | lowest – highest | seconds | WAL | + full pages | WAL of enqueue \
| dead tuples | updates | HOT | deletes | transaction ids |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""


def table(results):
    """The medians of each system under each condition. Everything but speed and time is per job; WAL is in bytes."""
    lines = [HEAD]
    for condition in CONDITIONS:
        medians = {system.name: median(results[system, condition]) for system in SYSTEMS}
        for system in SYSTEMS:
            speeds = [figures.jobs_per_second for figures in results[system, condition]]
            ratio = medians[system.name].jobs_per_second / medians["update claim"].jobs_per_second
            lines.append(row(system, condition, medians[system.name], speeds, ratio))
    return "\n".join(lines)


def median(rounds):
    names = [field.name for field in dataclasses.fields(Figures)]
    return Figures(**{name: statistics.median(getattr(figures, name) for figures in rounds) for name in names})


def row(system, condition, figures, speeds, ratio):
    cells = [
        system.name,
        condition.synchronous_commit,
        "held" if condition.old_snapshot else "none",
        f"{figures.jobs_per_second:,.0f}",
        f"{ratio:.2f} ×",
        f"{min(speeds):,.0f} – {max(speeds):,.0f}",
        f"{figures.seconds:.1f}",
        f"{figures.wal - figures.full_pages:.0f}",
        f"{figures.full_pages:.0f}",
        f"{figures.wal_of_enqueue:.0f}",
        f"{figures.dead:.2f}",
        f"{figures.updates:.2f}",
        f"{figures.hot_updates:.2f}",
        f"{figures.deletes:.2f}",
        f"{figures.transaction_ids:.4f}",
    ]
    return "| " + " | ".join(cells) + " |"


def circumstances(server, size, flush_before):
    """What the figures belong to, as a list. The disk is measured twice, because its speed may not be its own."""
    [[version]] = server.sql("SHOW server_version")
    [[date]] = server.sql("SELECT current_date")
    settings = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
    lines = [
        f"machine: {len(os.sched_getaffinity(0))} cores, {processor()}, shared by server and clients; writing 8 kB through "
        f"to disk took {flush_before:.2f} ms before the run and {flush_milliseconds(server.folder):.2f} ms after it",
        f"PostgreSQL {version}; {settings}",
        f"pgqueuer: commit {commit()}, {build(server.library)}; {date}",
        f"{size.jobs:,} jobs with 100 bytes of payload, {size.clients} clients, batches of {size.batch}; "
        + (f"medians of {size.rounds} rounds" if size.rounds > 1 else "one round"),
    ]
    return "\n".join(f"- {line}" for line in lines)


def processor():
    """The model, as Linux has it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def flush_milliseconds(folder):
    """The median of some fdatasyncs of a page, in the folder of the server: what a durable commit waits for."""
    times = []
    with open(folder / "flush", "wb", buffering=0) as file:
        file.write(bytes(8192))
        os.fsync(file.fileno())
        for _ in range(FLUSHES):
            file.seek(0)
            begin = time.perf_counter()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


def commit():
    try:
        return run(["git", "--no-optional-locks", "-C", CHECKOUT, "describe", "--always", "--dirty", "--exclude=*"])
    except (Failure, FileNotFoundError):
        return "unknown"


def build(library):
    """Which build is installed: the one whose output it equals."""
    target = Path(setting("CARGO_TARGET_DIR"))
    for name in "release", "debug":
        output = target / name / "libpgqueuer.so"
        if output.is_file() and filecmp.cmp(output, library, shallow=False):
            return "release build" if name == "release" else "DEBUG BUILD: its speed means nothing"
    return "unknown build"
