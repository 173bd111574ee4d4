"""Runs suites of tests, as many side by side as there are places, the longest first. What one prints is shown where it fails."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

# "test result: ok. 3 passed; 0 failed; …" of cargo, and "3 passed, 0 failed" of our own.
COUNTS = re.compile(r"(\d+) passed[;,] (\d+) failed")
# What takes this long hangs.
LONGEST = 1200


@dataclasses.dataclass
class Suite:
    major: int
    name: str
    command: list
    environment: dict
    folder: str = "."
    # How many places it takes: those that compute all the time take more than one.
    places: int = 1
    # One without tests that it counts itself is one test, which passes where the command does.
    counts: bool = True
    # Whether it is a program of cargo's, which runs single tests by their names.
    by_name: bool = False
    # Filled in by its run.
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    # What ran again: "" where nothing did.
    again: str = ""

    @property
    def title(self):
        return f"{self.major} {self.name}"


class Running:
    """A suite that is under way."""

    def __init__(self, suite):
        self.suite, self.began = suite, time.monotonic()
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            suite.command, cwd=suite.folder, env=suite.environment, stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
        )

    def is_over(self):
        if self.process.poll() is None and time.monotonic() - self.began > LONGEST:
            # Its session is a group of its own, and ends as a whole; what does not listen does not get another word.
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return self.process.poll() is not None

    def text(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def failures(self):
        """The names of the tests that failed, where the program can be asked to run them alone."""
        listed = re.search(r"\nfailures:\n((?:    \S+\n)+)\ntest result: FAILED", self.text()) if self.suite.by_name else None
        return listed[1].split() if listed else []

    def count(self):
        suite, status = self.suite, self.process.returncode
        found = COUNTS.findall(self.text()) if suite.counts else []
        suite.passed, suite.failed = (sum(int(pair[at]) for pair in found) for at in (0, 1))
        suite.seconds = time.monotonic() - self.began
        if not suite.counts:
            suite.passed, suite.failed = int(status == 0), int(status != 0)
        elif not suite.failed and (status != 0 or not suite.passed):
            # One that ends badly without a failed test, or that ran none, has failed as a whole.
            suite.failed = 1


def run(suites, at_once, durations=None):
    """Runs them all, and those that failed beside others once more."""
    known = json.loads(durations.read_text()) if durations and durations.exists() else {}
    # One that nobody knows may be long. Those that are alone keep their order.
    waiting = sorted(suites, key=lambda suite: -known.get(suite.title, 60)) if at_once > 1 else list(suites)
    failed = [running for running in side_by_side(waiting, at_once) if running.suite.failed]
    if at_once > 1:
        for first in failed:
            run_again(first.suite, first.failures())
        known.update({suite.title: round(suite.seconds, 1) for suite in suites})
        durations.parent.mkdir(parents=True, exist_ok=True)
        durations.write_text(json.dumps(known, indent=1, sort_keys=True))
    return list(suites)


def run_again(suite, names):
    """Alone: what it says then counts. Of a suite that can be asked to, only the tests that failed."""
    suite.again = ", ".join([suite.title, *names])
    print(f"\n==> again, alone, because it failed beside others: {suite.again}", flush=True)
    if not names:
        side_by_side([suite], 1)
        return
    [again] = side_by_side([dataclasses.replace(suite, command=[*suite.command, "--exact", *names])], 1)
    suite.passed, suite.failed = suite.passed + again.suite.passed, again.suite.failed


def side_by_side(waiting, at_once):
    waiting, running, ended, total = list(waiting), [], [], len(waiting)
    while waiting or running:
        free = at_once - sum(min(one.suite.places, at_once) for one in running)
        fitting = next((suite for suite in waiting if min(suite.places, at_once) <= free), None)
        if fitting:
            waiting.remove(fitting)
            if at_once == 1:
                print(f"\n==> {fitting.title}", flush=True)
            running.append(Running(fitting))
            continue
        over = [one for one in running if one.is_over()]
        if not over:
            time.sleep(0.1)
        for one in over:
            running.remove(one)
            ended.append(one)
            one.count()
            tell(one, f"{len(ended)}/{total}")
    return ended


def tell(one, place):
    suite = one.suite
    if suite.failed:
        print(f"\n{one.text()}\nFAILED: {suite.title}", flush=True)
    print(f"{place:>8}  {suite.passed:>4} passed, {suite.failed} failed {suite.seconds:7.1f} s  {suite.title}", flush=True)
    sys.stdout.flush()
