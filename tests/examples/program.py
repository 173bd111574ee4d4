"""The programs of examples/, started as examples/README.md tells a reader to."""

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from until import DEADLINE

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| \[([^\]]+)\]\(\1\) \| `([^`]+)` \|", re.MULTILINE)

# The command of each program, by its path in examples/.
COMMANDS = {file: shlex.split(command) for file, command in ROW.findall((ROOT / "examples/README.md").read_text())}

# A driver's warning is an error; Java starts in half the time.
SETTINGS = {
    "PYTHONWARNINGS": "error",
    "NODE_OPTIONS": "--throw-deprecation",
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


def environment(dsn):
    return {**os.environ, **SETTINGS, "PGQUEUER_DSN": dsn}


class Program:
    """A running program. Its output goes to a file, so that no pipe fills up."""

    def __init__(self, command, dsn, log):
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(dsn),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self):
        return self.log.read_text(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def wait(self):
        """Its exit code, when it has ended by itself."""
        return self.process.wait(DEADLINE)

    def stop(self, number=signal.SIGTERM):
        """Asks it to end, as a supervisor does, and gives its exit code. It has five seconds."""
        self.process.send_signal(number)
        return self.process.wait(5)

    def kill(self):
        """Ends it without asking, and what it has started."""
        if self.alive():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE)
