"""The stage `build` of docker/Dockerfile: the release build against real headers, and the packages that come of it."""

import pathlib
import subprocess

from dockerfile import PG, hand_on, run_steps, stages


def test_the_image_builds_the_packages_of_a_major():
    stage = stages()["build"]
    environment = run_steps(stage)
    hand_on("build", "/src/dist")
    made = {path.name for path in pathlib.Path("/src/dist").iterdir()}
    assert any(name.startswith(f"postgresql-{PG}-pgqueuer_") and name.endswith(".deb") for name in made), made
    assert any(name.startswith("pgqueuer-") and f"-pg{PG}-linux-" in name for name in made), made
    assert environment["PG_MAJOR"] == PG


def test_the_library_names_no_path_of_the_machine_that_made_it(tmp_path):
    package = next(pathlib.Path("/src/dist").glob("*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, tmp_path], check=True)
    library = next(tmp_path.rglob("pgqueuer.so")).read_bytes()
    assert b"/pgqueuer/src/" in library or b"/cargo/registry/" in library, "paths are replaced by others"
    for path in (b"/usr/local/cargo", b"/src/src/", str(pathlib.Path.home()).encode() + b"/"):
        assert path not in library
