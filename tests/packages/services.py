"""The services of docker/compose.yaml, run as processes: their command, environment, files, user and health check are read from there
and from docker/Dockerfile."""

import pathlib
import re
import shutil
import subprocess

from dockerfile import PG, ROOT, stages
from ruamel.yaml import YAML

# What docker/.env would say.
CHOSEN = {"PGQUEUER_PASSWORD": "it's a $ecret", "PGQUEUER_WEB_PASSWORD": "another", "PG": PG}
HERE = ROOT / "tests/packages"


def compose():
    return YAML(typ="safe").load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))


def interpolate(text):
    """As compose does it: ${NAME}, ${NAME:-default}, ${NAME:?complaint}."""
    return re.sub(r"\$\{(\w+)(?::[-?][^}]*)?\}", lambda found: CHOSEN[found[1]], str(text))


class Service:
    """One service, on a copy of this machine on which the steps of its stage have been done."""

    def __init__(self, name, environment, log):
        self.service = compose()["services"][name]
        self.stage = stages()[self.service["build"]["target"]]
        own = {word: interpolate(value) for word, value in self.service["environment"].items()}
        given = {word: environment[word] for word in ("PATH", "LANG") if word in environment}
        self.environment = given | {"HOME": "/nonexistent"} | own
        self.user = self.stage.last("USER")
        self.log = log

    def put_files(self):
        for volume in self.service.get("volumes", []):
            source, target = volume.split(":")[:2]
            if not source.startswith("."):
                pathlib.Path(target).mkdir(parents=True, exist_ok=True)
                shutil.chown(target, int(self.user), int(self.user))
            elif (ROOT / "docker" / source).is_dir():
                shutil.copytree(ROOT / "docker" / source, target, dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / "docker" / source, target)

    def as_user(self, command):
        return ["setpriv", "--reuid", self.user, "--regid", self.user, "--clear-groups", "--no-new-privs", "--", *command]

    def start(self, *options):
        """The entrypoint of the image with the command of the service; for the server, that of the official image."""
        self.put_files()
        if self.stage.base.startswith("postgres:"):
            command = [str(HERE / "entrypoint"), "postgres", *options]
        else:
            command = [*self.stage.last("ENTRYPOINT"), *self.service["command"]]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.as_user(command), env=self.environment, cwd="/", stdout=log, stderr=log)
        return self

    def run(self, *command, **environment):
        """As docker compose exec does it."""
        return subprocess.run(
            self.as_user(command), env=self.environment | environment, cwd="/", capture_output=True, text=True, check=False
        )

    def is_healthy(self):
        kind, *command = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        assert self.process.poll() is None, self.said()
        return self.run(*command).returncode == 0

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self):
        # SIGINT is what the official image is stopped by; pgq takes it as SIGTERM.
        self.process.send_signal(2)
        return self.process.wait(60)
