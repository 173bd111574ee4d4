"""What bench/memory prints: a line for each figure, and below it the tables that a line has no room for."""
import math
import statistics
from dataclasses import dataclass

HEAD = """\
| figure | condition | pgqueuer | compared with | ratio | aim |
| --- | --- | ---: | ---: | ---: | --- |"""


@dataclass(frozen=True)
class Figure:
    """One line. An aim is its words and whether it was reached."""

    what: str
    condition: str
    ours: str
    other: str = "–"
    ratio: str = "–"
    aim: tuple = ()

    def line(self):
        words, reached = self.aim or ("–", None)
        verdict = "" if reached is None else ": reached" if reached else ": MISSED"
        return f"| {self.what} | {self.condition} | {self.ours} | {self.other} | {self.ratio} | {words}{verdict} |"


def table(figures):
    return "\n".join([HEAD, *(figure.line() for figure in figures)])


def compared(what, condition, ours, other, least=None, name="update claim"):
    """Rates of several rounds against those of something else, with the ratio that is aimed at."""
    ratio = statistics.median(ours) / statistics.median(other)
    aim = (f"≥ {least} ×", ratio >= least) if least else ()
    return Figure(what, condition, rates(ours), f"{name}: {rates(other)}", f"{ratio:.2f} ×", aim)


def rates(rounds):
    """The median, and what it lies between."""
    if len(rounds) == 1:
        return f"{rounds[0]:,.0f}/s"
    return f"{statistics.median(rounds):,.0f}/s ({min(rounds):,.0f} – {max(rounds):,.0f})"


def percentile(values, share):
    """The smallest value that is not exceeded by this share of them."""
    return sorted(values)[math.ceil(len(values) * share) - 1]
