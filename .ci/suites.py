"""What is tested: the suites, and the commands that run them."""

import json
import pathlib
import subprocess
import sys

from side_by_side import Suite

PURE = ["pgqueuer-core", "pgqueuer-model"]
CLIENTS = ["pgqueuer-cli", "pgqueuer-web", "pgqueuer-example"]
CLIENT = ["-p", "pgqueuer-client", "--all-features"]
ALL = [*PURE, *CLIENTS, "pgqueuer-client", "pgqueuer-cron-test", "pgqueuer-e2e"]
# Everything that is not the extension is tested on this one.
WHOLE = 15
# Tests that run on servers of their own.
RELEASED, UPGRADED = "upgrade_library", "pg_upgrade"
# From which version to which an upgrade of the server is tested, and which tests of it: those of 12 and 13 have no pg_upgrade.
UPGRADES = [(15, 17, []), (12, 18, ["dump"])]
# Tests inside the server need programs that servers of 12 and 13 come without.
FIRST_INSIDE = 14


def packages(names):
    return [word for name in names for word in ("-p", name)]


def step(name, command, environment):
    return Suite(int(environment["PG_MAJOR"]), name, command, environment, counts=False)


def lint(environment):
    clippy = ["--quiet", "--", "-D", "warnings"]
    return [
        step("rules of the house", [".ci/rules"], environment),
        step("formatting", ["cargo", "fmt", "--all", "--check"], environment),
        step("clippy: everything but the extension", ["cargo", "clippy", *packages(ALL), "--all-targets", *clippy], environment),
        step("clippy: the extension", [".ci/extension", "clippy", *clippy], environment),
    ]


def pages(environment):
    strict = environment | {"RUSTDOCFLAGS": "-D warnings"}
    command = ["cargo", "doc", "--quiet", "--no-deps", "-p", "pgqueuer-client", "-p", "pgqueuer-web", "--all-features"]
    return [step("the pages of client and dashboard", command, strict)]


def has_a_copy(environment):
    """Whether a command can be run on a copy of the machine's files, which takes the right to mount."""
    can = subprocess.run(["tests/packages/apart", "true"], env=environment, capture_output=True, check=False).returncode == 0
    if not can:
        print("left out: packages and images, because nothing can be mounted here")
    return can


def packages_built(environment):
    if not has_a_copy(environment):
        return []
    return [Suite(WHOLE, "packages are built", ["tests/packages/run", "build", "archive"], environment)]


def inside(major, environment):
    suites = [Suite(major, "inside the server", [".ci/pg-test"], environment)] if major >= FIRST_INSIDE else []
    # After the tests inside: those leave a build of their own behind. The compiler tells its warnings again with each build.
    strict = 'set -o pipefail; .ci/install 2>&1 | tee /dev/stderr | { ! grep "^warning"; }'
    return [*suites, step("built without a warning, and installed", ["bash", "-c", strict], environment)]


def outside(major, environment, built):
    with_server = [
        Suite(major, name, [".ci/with-server", f"tests/{folder}/run"], environment)
        for name, folder in (("the contract, sentence by sentence", "pg_regress"), ("races, step by step", "isolation"))
    ]
    everywhere = [test for test in built if test[0] not in (RELEASED, UPGRADED)]
    beside_last = released(environment, built) if major == WHOLE else []
    return with_server + binaries(major, "black box", everywhere, environment) + beside_last


def last_release():
    """Version and commit."""
    return pathlib.Path(".ci/releases").read_text(encoding="utf-8").splitlines()[-1].split()


def has_released(environment):
    """Whether the library of the last release can be had, which is built from the history."""
    version, commit = last_release()
    here = subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], capture_output=True, check=False)
    # Of a server that is not ours to copy, nothing is known of its folders.
    can = here.returncode == 0 and environment["PG_CONFIG"].startswith(environment["PGQUEUER_CACHE"])
    if not can:
        print(f"left out: the library of {version}: it takes the history in the checkout, and a server in the cache")
    return can


def released_built(environment):
    """Before the suites that run side by side, which would wait for the compiler."""
    command = [".ci/with-released", last_release()[0], "true"]
    return [step("the library of the last release", command, environment)] if has_released(environment) else []


def released(environment, built):
    """This release beside the library of the last one."""
    if not has_released(environment):
        return []
    [(name, program, folder)] = [test for test in built if test[0] == RELEASED]
    command = [f"{pathlib.Path.cwd()}/.ci/with-released", last_release()[0], program, "--quiet", "--ignored"]
    return [Suite(WHOLE, f"black box: {name}", command, environment, folder)]


def upgrades(environments, built):
    """From one version of the server to another, where both are tested. Of the others it is said that they are not."""
    [(name, program, folder)] = [test for test in built if test[0] == UPGRADED]
    for old, new, tests in UPGRADES:
        if old in environments and new in environments:
            servers = environments[new] | {"PGQUEUER_OLD_PG_CONFIG": environments[old]["PG_CONFIG"]}
            command = [program, "--quiet", "--ignored", *tests]
            yield Suite(new, f"black box: {name} from {old}", command, servers, folder, places=2, by_name=True)
        else:
            print(f"left out: {name} from {old} to {new}: it takes both versions, as in .ci/test {old} {new}")


def only_once(environment):
    """What one version is enough for."""
    major = int(environment["PG_MAJOR"])
    pure = binaries(major, "without a server", build(packages(PURE), environment), environment, places=2)
    clients = binaries(major, "clients", build(packages(CLIENTS), environment), environment)
    client = binaries(major, "client", build(CLIENT, environment), environment)
    # What the dashboard's tests in a browser start.
    subprocess.run(["cargo", "build", "--quiet", "-p", "pgqueuer-cli"], env=environment, check=True)
    with_server = [
        Suite(major, name, [".ci/with-server", f"tests/{folder}/run"], environment, places=2)
        for name, folder in (("drivers", "drivers"), ("examples", "examples"), ("the dashboard in a browser", "web"))
    ]
    # What was built before is installed, and looked at.
    packed = ["tests/packages/run", "files", "debian", "images"]
    if has_a_copy(environment):
        with_server.append(Suite(major, "packages, images, workflows", packed, environment, places=2))
    # The library of this checkout under the SQL of the last release.
    old = environment | {"PGQUEUER_VERSION": last_release()[0]}
    with_server.append(Suite(major, "the contract of the last release", [".ci/with-server", "tests/pg_regress/run"], old))
    doc = [
        Suite(major, f"blocks in the pages of {name}", ["cargo", "test", "--quiet", "--doc", *words], environment, places=2)
        for name, words in (("the client", CLIENT), ("the dashboard", ["-p", "pgqueuer-web"]))
    ]
    cron = [Suite(major, "cron and time zones", ["tests/cron/run"], environment, places=2)]
    return [*with_server, *client, *clients, *cron, *pure, *doc]


def black_box(environment):
    return build(packages(["pgqueuer-e2e"]), environment)


def build(words, environment):
    """Compiles tests, and returns each: its name, its program, the folder that it runs in."""
    command = ["cargo", "test", "--quiet", "--no-run", "--message-format=json-render-diagnostics", *words]
    print(f"\n==> compiling {' '.join(words)}", flush=True)
    made = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    if made.returncode:
        sys.exit("the tests do not compile")
    messages = [json.loads(line) for line in made.stdout.splitlines() if line.startswith(b"{")]
    return [
        (message["target"]["name"], message["executable"], str(pathlib.Path(message["manifest_path"]).parent))
        for message in messages
        if message["reason"] == "compiler-artifact" and message["executable"] and message["profile"]["test"]
    ]


def binaries(major, name, built, environment, places=1):
    """A suite for each program. One without tests is none."""
    return [
        Suite(
            major, f"{name}: {target}", [program, "--quiet"], environment | {"CARGO_MANIFEST_DIR": folder}, folder, places,
            by_name=True,
        )
        for target, program, folder in built
        if has_tests(program, environment)
    ]


def has_tests(program, environment):
    listed = subprocess.run([program, "--list"], env=environment, capture_output=True, text=True, check=False)
    return ": test" in listed.stdout
