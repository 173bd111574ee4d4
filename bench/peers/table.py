"""The tables of bench/compare: medians, and the ratio to the floor."""
import statistics

BASE = "raw"
RATES = {
    "drain": "one worker process",
    "drain_held": "the same, old snapshot",
    "contention": "32 workers, one job at a time",
    "enqueue_batch": "enqueue, 1000 a call",
    "enqueue1": "enqueue, 1 connection",
    "enqueue32": "enqueue, 32 connections",
}


def tables(runs):
    parts = [rates(runs), latencies(runs), idleness(runs), controls(runs)]
    return "\n\n".join(part for part in parts if part)


def rates(runs):
    scenarios = [scenario for scenario in RATES if any(run.scenario == scenario for run in runs)]
    if not scenarios:
        return ""
    names = named(run for run in runs if run.scenario in RATES)
    head = f"| jobs/s (× {BASE}) | " + " | ".join(RATES[scenario] for scenario in scenarios) + " |"
    lines = [head, "| --- |" + " ---: |" * len(scenarios)]
    for name in names:
        cells = [rate(runs, name, scenario) for scenario in scenarios]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rate(runs, name, scenario):
    ours, base = of(runs, name, scenario), of(runs, BASE, scenario)
    if not ours:
        return "–"
    text = f"{median(ours):,.0f}"
    if any(run.details.get("cut off") for run in ours):
        text += ", cut off"
    return f"{text} ({median(ours) / median(base):.2f})" if base and name != BASE else text


def latencies(runs):
    mine = [run for run in runs if run.scenario == "latency"]
    lines = ["| commit → start of the job, ms | p50 | p95 | p99 |", "| --- | ---: | ---: | ---: |"]
    for name in named(mine):
        details = [run.details for run in of(mine, name, "latency")]
        values = (statistics.median(one[word] for one in details) for word in ("p50", "p95", "p99"))
        lines.append(f"| {name} | " + " | ".join(f"{value:.1f}" for value in values) + " |")
    return "\n".join(lines) if mine else ""


def idleness(runs):
    mine = [run for run in runs if run.scenario == "idle"]
    lines = [
        "| 20 idle workers | statements/s | inside of functions/s | transactions/s | connections |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name in named(mine):
        [run] = of(mine, name, "idle")[-1:]
        values = run.figure, run.details["nested"], run.details["transactions"], run.details["connections"]
        lines.append("| {} | {:.1f} | {:.1f} | {:.1f} | {:.0f} |".format(name, *values))
    return "\n".join(lines) if mine else ""


def controls(runs):
    """How even the machine was."""
    values = [run.control for run in runs]
    if not values:
        return ""
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"pgbench between any two measurements: {middle:,.0f} transactions/s, from {least:,.0f} to {most:,.0f}."


def named(runs):
    """Each name once, in order."""
    return list(dict.fromkeys(run.system for run in runs))


def of(runs, name, scenario):
    return [run for run in runs if (run.system, run.scenario) == (name, scenario)]


def median(runs):
    return statistics.median(run.figure for run in runs)
