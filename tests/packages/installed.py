"""A server into which the extension has been installed, and what every installation has to be able to do."""

import contextlib
import os
import pathlib
import re
import subprocess

from dockerfile import ROOT


class Server:
    def __init__(self, bin_folder, dsn):
        self.bin_folder, self.dsn = bin_folder, dsn

    def ask(self, *statements):
        """What psql prints for the statements, each in a transaction of its own."""
        command = [self.bin_folder / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.dsn]
        for statement in statements:
            command += ["-c", statement]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()


@contextlib.contextmanager
def server(pg_config, major, folder):
    """A running server that preloads the extension. `folder` is where its cluster goes."""
    environment = os.environ | {"PG_CONFIG": str(pg_config), "PG_MAJOR": major}
    cluster = [ROOT / ".ci/cluster"]
    started = subprocess.run([*cluster, "start", folder], env=environment, capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    try:
        yield Server(pathlib.Path(pg_config).parent, started.stdout.strip())
    finally:
        subprocess.run([*cluster, "stop", folder], env=environment, check=True)


def does_its_work(server, version):
    """From CREATE EXTENSION to DROP."""
    ask = server.ask
    assert ask("SELECT default_version FROM pg_available_extensions WHERE name = 'pgqueuer'") == version
    ask("CREATE EXTENSION pgqueuer")
    assert ask("SELECT \"check\" FROM pgq.health() WHERE \"check\" = 'preload' AND NOT ok") == ""
    job = ask("SELECT pgq.enqueue('mail', 'to: you@example.org')")
    # A claim lives as long as its session.
    claimed = ask("SELECT id, pgq.payload_text(payload), pgq.complete(id) FROM pgq.dequeue('{mail}')")
    assert claimed == f"{job}|to: you@example.org|t"
    assert ask(f"SELECT status FROM pgq.status('{{{job}}}')") == "successful"
    ask("DROP EXTENSION pgqueuer")
    # The schema, which CREATE EXTENSION has made, stays behind, empty.
    assert ask("SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = 'pgq'") == "0"
    ask("CREATE EXTENSION pgqueuer VERSION '0.1.0'", "ALTER EXTENSION pgqueuer UPDATE")
    assert ask("SELECT extversion FROM pg_extension WHERE extname = 'pgqueuer'") == version
    ask("DROP EXTENSION pgqueuer")


def version():
    return re.search(r"^default_version = '(.*)'", (ROOT / "pgqueuer.control").read_text(), re.MULTILINE)[1]


def blocks(path, language):
    """The fenced blocks of a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", pathlib.Path(path).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def files():
    """Every file where packages and archives put theirs, without what the package manager notes down."""
    folders = ["/usr", "/etc", "/opt", "/srv", "/var/lib"]
    found = subprocess.run(["find", *folders, "-path", "/var/lib/dpkg", "-prune", "-o", "-print"], capture_output=True, text=True, check=True)
    return set(found.stdout.splitlines())
