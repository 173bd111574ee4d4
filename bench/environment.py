"""What the benchmarks need and PostgreSQL does not bring: installed once, outside the checkout."""
import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from server import setting


def installed(name, lists, install):
    """The folder that `install` has filled from these lists. Another list, or another Python, has another folder.

    The file "ready" appears last, so an interrupted installation is made again.
    """
    cache = Path(setting("PGQUEUER_CACHE")) / name
    texts = b"".join(file.read_bytes() for file in lists)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / f"{python}-{hashlib.sha256(texts).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            print(f"installing the packages of {name}, once", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            (folder / "ready").touch()
    return folder


def python_with(requirements, folder):
    """Makes a Python environment with the packages of a list, and returns its interpreter."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "-r", requirements], check=True)
    return python
