"""Does what docker/Dockerfile says, without Docker: each step of a stage on this machine's files, in a copy of them (see apart).

An image that a stage begins with is stood in for by this machine: Debian, with the server of 15 where Debian and PGDG both have
it, and Rust. Everything else is read from the file. What a stage makes for another one to take goes through HANDED."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from dockerfile_parse import DockerfileParser

ROOT = pathlib.Path(__file__).resolve().parents[2]
PG = "15"
# A folder that outlives the copy: HANDED/STAGE/FILE is the file FILE of the stage STAGE.
HANDED = pathlib.Path(os.environ.get("PGQUEUER_HANDED", "/nowhere"))


class Stage:
    def __init__(self, base, name, steps):
        self.base, self.name, self.steps = base, name, steps

    def last(self, instruction):
        """The value of the last step of this kind, as JSON where it is JSON."""
        value = [value for word, value in self.steps if word == instruction][-1]
        return json.loads(value) if value.startswith("[") else value


def stages():
    """The stages by name, in their order."""
    steps = DockerfileParser(path=str(ROOT / "docker/Dockerfile"), env_replace=False).structure
    steps = [(step["instruction"], step["value"]) for step in steps if step["instruction"] != "COMMENT"]
    found = {}
    for instruction, value in steps:
        if instruction == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", value).groups()
            found[name] = Stage(base, name, [])
        elif found:
            found[list(found)[-1]].steps.append((instruction, value))
    return found


def be_like(base, environment):
    """Makes the copy what the image is, as far as our steps can see it."""
    if base.startswith("postgres:"):
        version = ["dpkg-query", "-W", "-f=${Version}", f"postgresql-{PG}"]
        environment["PG_MAJOR"] = PG
        environment["PG_VERSION"] = subprocess.run(version, capture_output=True, text=True, check=True).stdout
        # There en_US.utf8, which not every Debian has.
        environment["LANG"] = "C.UTF-8"
        environment["PATH"] += f":/usr/lib/postgresql/{PG}/bin"
        # The official image has the account's number, and moves the sample of the configuration to where all majors have it.
        subprocess.run(["usermod", "--non-unique", "--uid", "999", "postgres"], check=True)
        sample = pathlib.Path("/usr/share/postgresql/postgresql.conf.sample")
        own = pathlib.Path(f"/usr/share/postgresql/{PG}/postgresql.conf.sample")
        shutil.copy(own, sample)
        own.unlink()
        own.symlink_to(sample)
        sockets = pathlib.Path("/run/postgresql")
        sockets.mkdir(exist_ok=True)
        sockets.chmod(0o3777)
    else:
        assert re.match(r"rust:|debian:|scratch$", base), f"nothing here is like {base}"


def run_steps(stage, instructions=("COPY", "ENV", "RUN", "WORKDIR")):
    """Runs the steps of a stage, and returns its environment."""
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "PGQUEUER_CACHE", "PGQUEUER_PROFILE") if name in os.environ}
    environment["DEBIAN_FRONTEND"] = "noninteractive"
    be_like(stage.base, environment)
    folder = "/"
    for instruction, value in stage.steps:
        if instruction not in instructions:
            continue
        if instruction == "ENV":
            environment |= dict(word.split("=", 1) for word in shlex.split(expand(value, environment)))
        elif instruction == "WORKDIR":
            folder = expand(value, environment)
            os.makedirs(folder, exist_ok=True)
        elif instruction == "COPY":
            copy(shlex.split(expand(value, environment)), folder)
        elif instruction == "RUN":
            run(value, folder, environment)
    return environment


def expand(text, environment):
    return re.sub(r"\$\{?(\w+)\}?", lambda found: environment[found[1]], text)


def copy(words, folder):
    """COPY from the checkout, or --from another stage."""
    *sources, target = words
    target = pathlib.Path(folder, target)
    if sources[0] == "--from=rust":
        # This machine's Rust, where the image has its own.
        there = {"/usr/local/rustup": ("RUSTUP_HOME", ".rustup"), "/usr/local/cargo": ("CARGO_HOME", ".cargo")}
        variable, name = there[sources[1]]
        shutil.rmtree(target, ignore_errors=True)
        target.symlink_to(os.environ.get(variable) or pathlib.Path.home() / name)
        return
    origin = ROOT
    if sources[0].startswith("--from="):
        origin = HANDED / sources.pop(0).removeprefix("--from=")
    for source in sources:
        if source == ".":
            copy_context(target)
        else:
            shutil.copy(origin / source.lstrip("/"), target)


def copy_context(target):
    """The checkout, without what .dockerignore leaves out and without what git does not know."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    tracked = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(tracked, capture_output=True, text=True, check=True).stdout.split("\0"):
        path = pathlib.PurePath(name)
        left_out = any(path.match(rule) or path.is_relative_to(rule) for rule in ignored)
        if name and not left_out and (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def run(line, folder, environment):
    mounts = re.findall(r"--mount=(\S+)\s+", line)
    for mount in mounts:
        options = dict(option.split("=") for option in mount.split(","))
        assert options["type"] == "bind", mount
        shutil.copytree(HANDED / options["from"] / options["source"].lstrip("/"), options["target"])
    command = re.sub(r"--mount=\S+\s+", "", line)
    ended = subprocess.run(["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    for mount in mounts:
        shutil.rmtree(options["target"])


def hand_on(stage, folder):
    """Keeps what a stage has made for stages that take it."""
    shutil.copytree(folder, HANDED / stage / folder.lstrip("/"), dirs_exist_ok=True)
