"""The whole comparison: in each scenario and round one system after the other, so that a busy moment meets all."""
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from peers import scenarios
from peers.idle import GROUP, idle
from server import Failure

#: More of what takes little time.
ROUNDS = {"enqueue1": 4, "enqueue32": 4, "enqueue_batch": 3, "drain": 3, "contention": 3}


@dataclass
class Run:
    system: str
    scenario: str
    figure: float
    #: pgbench's transactions a second before and after.
    control: float
    details: dict


@dataclass
class Comparison:
    ground: object
    scale: float
    rounds: int | None
    #: A file for the single figures, written after each.
    file: Path | None
    runs: list = field(default_factory=list)
    failures: list = field(default_factory=list)

    def of(self, systems, names):
        self.control = self.ground.control()
        for scenario in names:
            group = [system for system in systems if scenario in system.scenarios]
            for number in range(self.rounds or ROUNDS.get(scenario, 1)):
                print(f"== {scenario}, round {number + 1}", file=sys.stderr)
                if scenario == "idle":
                    self.idle(group)
                else:
                    self.round(scenario, group)

    def round(self, scenario, group):
        for system in group:
            try:
                figure = getattr(scenarios, scenario)(self.ground, system, self.scale)
            except Failure as failure:
                self.failed(scenario, system.name, failure)
                continue
            self.add(scenario, {system.name: figure})
            self.ground.server.check_library()

    def idle(self, group):
        for first in range(0, len(group), GROUP):
            systems = group[first : first + GROUP]
            try:
                figures = idle(self.ground, systems)
            except Failure as failure:
                self.failed("idle", ", ".join(system.name for system in systems), failure)
                continue
            self.add("idle", figures)

    def failed(self, scenario, system, failure):
        self.failures.append(f"{scenario} of {system}: {failure}")
        print(f"   {system} failed: {failure}", file=sys.stderr)

    def add(self, scenario, figures):
        before, self.control = self.control, self.ground.control()
        for name, figure in figures.items():
            run = Run(name, scenario, figure.value, (before + self.control) / 2, figure.details)
            self.runs.append(run)
            details = ", ".join(f"{word} {value:,.2f}" for word, value in figure.details.items())
            print(f"   {name:20} {figure.value:12,.2f}   control {run.control:,.0f}   {details}", file=sys.stderr)
        if self.file:
            self.file.write_text(json.dumps([vars(run) for run in self.runs], indent=1))
