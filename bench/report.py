"""The table of bench/claim."""
import dataclasses
import statistics

from drain import CONDITIONS, SYSTEMS, Figures

HEAD = """\
| system | synchronous_commit | old snapshot | jobs/s | of update claim | lowest – highest | seconds | WAL | + full pages | WAL of enqueue \
| dead tuples | updates | HOT | deletes | transaction ids |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""


def table(results):
    """The medians of each system under each condition. Everything but speed and time is per job; WAL is in bytes."""
    lines = [HEAD]
    for condition in CONDITIONS:
        medians = {system.name: median(results[system, condition]) for system in SYSTEMS}
        for system in SYSTEMS:
            speeds = [figures.jobs_per_second for figures in results[system, condition]]
            ratio = medians[system.name].jobs_per_second / medians["update claim"].jobs_per_second
            lines.append(row(system, condition, medians[system.name], speeds, ratio))
    return "\n".join(lines)


def median(rounds):
    names = [field.name for field in dataclasses.fields(Figures)]
    return Figures(**{name: statistics.median(getattr(figures, name) for figures in rounds) for name in names})


def row(system, condition, figures, speeds, ratio):
    cells = [
        system.name,
        condition.synchronous_commit,
        "held" if condition.old_snapshot else "none",
        f"{figures.jobs_per_second:,.0f}",
        f"{ratio:.2f} ×",
        f"{min(speeds):,.0f} – {max(speeds):,.0f}",
        f"{figures.seconds:.1f}",
        f"{figures.wal - figures.full_pages:.0f}",
        f"{figures.full_pages:.0f}",
        f"{figures.wal_of_enqueue:.0f}",
        f"{figures.dead:.2f}",
        f"{figures.updates:.2f}",
        f"{figures.hot_updates:.2f}",
        f"{figures.deletes:.2f}",
        f"{figures.transaction_ids:.4f}",
    ]
    return "| " + " | ".join(cells) + " |"
