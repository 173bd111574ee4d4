"""The table of PostgreSQL's versions, from the last run of .ci/test on each: `.ci/versions.py` writes it into README.md."""

import json
import os
import pathlib
import subprocess
import sys

HEAD = ["| PostgreSQL | tested with | tests passed | failed |", "| ---: | --- | ---: | ---: |"]
BEGIN, END = "<!-- versions: made by `make versions` -->", "<!-- /versions -->"


def version(environment):
    said = subprocess.run([environment["PG_CONFIG"], "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[1]


def counted(suites):
    return sum(suite.passed for suite in suites), sum(suite.failed for suite in suites)


def keep(folder, ended, environments):
    """One file for each version."""
    folder.mkdir(parents=True, exist_ok=True)
    for major, environment in environments.items():
        passed, failed = counted([suite for suite in ended if suite.major == major])
        kept = {"version": version(environment), "passed": passed, "failed": failed}
        (folder / f"{major}.json").write_text(json.dumps(kept))


def report(ended, environments):
    """Prints what each version has come to, and the sum. Returns the exit code."""
    print("\n| PostgreSQL | tested with | suites | passed | failed |\n| ---: | --- | ---: | ---: | ---: |")
    for major, environment in environments.items():
        of_it = [suite for suite in ended if suite.major == major]
        passed, failed = counted(of_it)
        print(f"| {major} | {version(environment)} | {len(of_it)} | {passed:,} | {failed} |")
    again = [suite.again for suite in ended if suite.again]
    if again:
        print(f"\nran again, alone: {', '.join(again)}")
    for suite in ended:
        if suite.failed:
            print(f"failed: {suite.title}")
    passed, failed = counted(ended)
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def write(folder, readme):
    kept = {int(file.stem): json.loads(file.read_text()) for file in folder.glob("*.json")}
    missing = [str(major) for major in range(12, 19) if major not in kept]
    if missing:
        sys.exit(f"not tested: {', '.join(missing)}. Run: make test")
    failed = [str(major) for major, of in sorted(kept.items()) if of["failed"]]
    if failed:
        sys.exit(f"with failures in the last run: {', '.join(failed)}")
    rows = [f"| {major} | {of['version']} | {of['passed']:,} | {of['failed']} |" for major, of in sorted(kept.items())]
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    table = "\n".join([BEGIN, *HEAD, *rows, END])
    readme.write_text(before + table + after, encoding="utf-8")


if __name__ == "__main__":
    write(pathlib.Path(os.environ["PGQUEUER_CACHE"]) / "results", pathlib.Path("README.md"))
