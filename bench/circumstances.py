"""What figures were measured on, without which they say nothing."""
import filecmp
import os
import statistics
import time
from pathlib import Path

from server import CHECKOUT, Failure, run, setting

FLUSHES = 200


def circumstances(server, flush_before, work):
    """What the figures belong to, as a list. The disk is measured twice, because its speed may not be its own."""
    [[version]] = server.sql("SHOW server_version")
    [[date]] = server.sql("SELECT current_date")
    settings = ", ".join(f"{name} = {value}" for name, value in server.settings.items())
    lines = [
        f"machine: {len(os.sched_getaffinity(0))} cores, {processor()}, shared by server and clients; writing 8 kB through "
        f"to disk took {flush_before:.2f} ms before the run and {flush_milliseconds(server.folder):.2f} ms after it",
        f"PostgreSQL {version}; {settings}",
        f"pgqueuer: commit {commit()}, {build(server.library)}; {date}",
        work,
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
