"""docs/benchmarks.md: each tool writes its own part, between two marks that bear its name."""
from server import CHECKOUT, Failure

PAGE = CHECKOUT / "docs" / "benchmarks.md"
PICTURES = PAGE.parent / "images" / "curves"


def write(tool, text):
    begin, end = f"<!-- made by {tool} -->", f"<!-- /{tool} -->"
    before, found, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise Failure(f"{PAGE} has no part of {tool}")
    PAGE.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")


def picture(name, title):
    return f"![{title}]({(PICTURES / name).relative_to(PAGE.parent)})"
