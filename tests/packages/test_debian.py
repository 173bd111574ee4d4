"""The .deb files: installed by dpkg beside Debian's server, used, removed. One test after the other, on one copy of the machine."""

import os
import subprocess
from pathlib import Path

import pytest
from dockerfile import HANDED, PG, ROOT
from installed import blocks, does_its_work, files, server, version

PG_CONFIG = f"/usr/lib/postgresql/{PG}/bin/pg_config"


def run(*command, **options):
    ended = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def packages():
    return [next((HANDED / stage / "src/dist").glob("*.deb")) for stage in ("build", "build-command")]


@pytest.fixture(scope="module")
def before():
    return files()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    for parent in [folder, *folder.parents]:
        parent.chmod(parent.stat().st_mode | 0o755)
    with server(PG_CONFIG, PG, folder) as running:
        yield running


def test_lintian_has_nothing_to_say(packages):
    assert run("lintian", "--allow-root", "--fail-on", "error,warning,info", "--info", *packages) == ""


def test_they_name_what_they_need(packages):
    extension, command = (run("dpkg-deb", "-f", package, "Depends") for package in packages)
    assert extension.startswith(f"postgresql-{PG}, libc6 (>= ")
    assert command.startswith("libc6 (>= ") and "postgresql" not in command


def test_dpkg_installs_them(before, packages):
    run("dpkg", "--install", *packages)
    added = files() - before
    assert f"/usr/lib/postgresql/{PG}/lib/pgqueuer.so" in added
    assert f"/usr/share/postgresql/{PG}/extension/pgqueuer--{version()}.sql" in added
    assert {"/usr/bin/pgq", "/usr/share/man/man1/pgq.1.gz"} <= added
    assert run("dpkg", "--verify", f"postgresql-{PG}-pgqueuer", "pgqueuer-cli") == ""


def test_the_server_runs_jobs(running):
    does_its_work(running, version())


def test_the_page_about_installing_is_true(running):
    for block in blocks(ROOT / "docs/install.md", "sql"):
        for statement in block.split(";\n"):
            running.ask(statement)


def test_the_command_finds_the_queue(running):
    environment = {"PATH": os.environ["PATH"], "PGQUEUER_DSN": running.dsn}
    for block in ("pgq install", "pgq verify", "pgq enqueue greet world"):
        run("/bin/sh", "-c", block, env=environment)
    assert "hello world" in run("pgq", "work", "--entrypoint", "greet", "--drain", "--", "sh", "-c", "echo hello $(cat)", env=environment)


def test_the_manual_and_the_completions_are_where_they_are_looked_for():
    assert "job queue" in run("man", "--encoding=UTF-8", "pgq", env=os.environ | {"MANPAGER": "cat", "MANWIDTH": "100"}).lower()
    run("man", "--where", "pgq-enqueue")
    assert "pgq" in run("bash", "-c", ". /usr/share/bash-completion/completions/pgq && complete -p pgq")
    assert Path("/usr/share/zsh/vendor-completions/_pgq").read_text(encoding="utf-8").startswith("#compdef pgq")
    assert "complete -c pgq" in Path("/usr/share/fish/vendor_completions.d/pgq.fish").read_text(encoding="utf-8")


def test_nothing_is_left_of_them_when_they_are_removed(before):
    run("dpkg", "--purge", f"postgresql-{PG}-pgqueuer", "pgqueuer-cli")
    assert files() - before == set()
