"""What bench/compare runs, with the peers' packages."""
import argparse
import json
import signal
import sys
from contextlib import nullcontext
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from circumstances import circumstances, flush_milliseconds
from peers.comparison import Comparison
from peers.ground import ground
from peers.packages import installed
from peers.system import SCENARIOS
from peers.table import tables
from server import Failure, throwaway

MODULES = "pgqueuer", "graphile", "pgboss", "pgmq", "pgqueuer_python", "procrastinate", "raw"
SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements,pgqueuer",
    "pg_stat_statements.track": "none",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "max_connections": "500",
    "jit": "off",
}


def systems():
    return [system for module in MODULES for system in import_module(f"peers.systems.{module}").SYSTEMS]


def asked_for():
    parser = argparse.ArgumentParser(prog="bench/compare", description="pgqueuer beside other queues. See bench/README.md.")
    parser.add_argument("--systems", help="names, with commas; all if not given")
    parser.add_argument("--scenarios", help=f"{','.join(SCENARIOS)}; all if not given")
    parser.add_argument("--rounds", type=int, help="of each scenario; 4, 3 or 1 if not given")
    parser.add_argument("--scale", type=float, default=1.0, help="a factor for the numbers of jobs")
    parser.add_argument("--set", action="append", default=[], metavar="SYSTEM.SCENARIO.OPTION=JSON", help="another setting")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes each single figure")
    parser.add_argument("--log", type=Path, metavar="FILE", help="writes what the drivers complain of")
    asked = parser.parse_args()
    known = {system.name: system for system in systems()}
    for setting in asked.set:
        place, _, value = setting.partition("=")
        name, scenario, option = place.rsplit(".", 2)
        known[name] = replace(known[name], **{scenario: {**getattr(known[name], scenario), option: json.loads(value)}})
    names = asked.systems.split(",") if asked.systems else list(known)
    scenarios = asked.scenarios.split(",") if asked.scenarios else list(SCENARIOS)
    if unknown := (set(names) - set(known)) | (set(scenarios) - set(SCENARIOS)):
        parser.error(f"not known: {', '.join(sorted(unknown))}")
    return asked, [known[name] for name in names], scenarios


def description(packages, systems):
    python = [f"{name} {version(name)}" for name in ("pgqueuer", "procrastinate", "pgmq", "asyncpg", "psycopg")]
    node = [f"{name} {packages.version(name)}" for name in ("graphile-worker", "pg-boss", "pg")]
    lines = [f"versions: {', '.join(node + python)}", *(f"{system.name}: {system.settings}" for system in systems)]
    return "\n- ".join(lines)


def main():
    asked, systems, scenarios = asked_for()
    packages = installed()
    # Ends like an interrupt, so that the server is stopped and its folder removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    log = open(asked.log, "a") if asked.log else nullcontext()
    with log as log, throwaway(SETTINGS) as server:
        flush_before = flush_milliseconds(server.folder)
        with ground(server, packages, log) as place:
            comparison = Comparison(place, asked.scale, asked.rounds, asked.json)
            comparison.of(systems, scenarios)
        print(circumstances(server, flush_before, description(packages, systems)))
    print()
    print(tables(comparison.runs))
    if comparison.failures:
        sys.exit("\n".join(["bench/compare: not measured:", *comparison.failures]))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench/compare: {failure}")
    except KeyboardInterrupt:
        sys.exit("bench/compare: interrupted")
