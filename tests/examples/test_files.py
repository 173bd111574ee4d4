"""examples/ as a reader finds it."""

from program import COMMANDS, ROOT

FOLDERS = ["python", "node", "shell", "java"]
NO_PROGRAMS = {"requirements.txt", "package.json", "package-lock.json"}


def programs():
    files = [path for folder in FOLDERS for path in (ROOT / "examples" / folder).iterdir() if path.is_file()]
    return [path for path in files if path.name not in NO_PROGRAMS]


def test_every_program_has_fewer_than_60_lines_none_of_them_long():
    for path in programs():
        lines = path.read_text().splitlines()
        assert len(lines) < 60, path
        assert all(len(line) <= 120 for line in lines), path


def test_the_readme_names_every_program():
    assert set(COMMANDS) == {str(path.relative_to(ROOT / "examples")) for path in programs()}
