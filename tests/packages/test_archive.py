"""The .tar.gz of the extension: unpacked and installed as its INSTALL.md says, into a server with a prefix of its own."""

import os
import pathlib
import shutil
import subprocess

import pytest
from dockerfile import HANDED, ROOT
from installed import blocks, does_its_work, files, server, version

PG = "17"
PREFIX = pathlib.Path("/opt/pgsql")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The archive's own folder, and beside it a server that nobody has installed anything into."""
    shutil.copytree(pathlib.Path(os.environ["PGQUEUER_CACHE"], "server", PG), PREFIX, symlinks=True)
    for ours in [*PREFIX.rglob("pgqueuer.so"), *PREFIX.rglob("pgqueuer*.sql"), *PREFIX.rglob("pgqueuer.control")]:
        ours.unlink()
    target = tmp_path_factory.mktemp("archive")
    subprocess.run(["tar", "-xzf", next((HANDED / "archive").glob("*.tar.gz")), "-C", target], check=True)
    return next(target.iterdir())


def run(block, folder):
    environment = os.environ | {"PATH": f"{PREFIX}/bin:{os.environ['PATH']}"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment, check=True)


def test_its_instructions_install_it_and_take_it_away(folder, tmp_path_factory):
    install, remove = blocks(folder / "INSTALL.md", "sh")
    before = files()
    run(install, folder)
    assert len(files() - before) == len(list(folder.glob("share/extension/*"))) + 1
    cluster = tmp_path_factory.mktemp("cluster")
    for parent in [cluster, *cluster.parents]:
        parent.chmod(parent.stat().st_mode | 0o755)
    with server(PREFIX / "bin/pg_config", PG, cluster) as running:
        does_its_work(running, version())
    run(remove, folder)
    assert files() - before == set()


def test_the_same_source_gives_the_same_bytes(tmp_path):
    environment = os.environ | {"PG_MAJOR": PG, "PGQUEUER_PROFILE": "debug", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    for name in ("PG_CONFIG", "PGRX_PG_CONFIG_PATH", "CARGO_TARGET_DIR"):
        environment.pop(name, None)
    subprocess.run(["bash", "-c", "umask 077; .ci/package extension \"$0\"", tmp_path], cwd=ROOT, env=environment, check=True)
    again = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(again) == 2
    for name, content in again.items():
        assert content == (HANDED / "archive" / name).read_bytes(), name
