"""What the whole life of a job costs in WAL, transaction ids and dead rows: enqueue, claim, finish."""
from dataclasses import dataclass

from drain import DATABASE, SYSTEMS, Size, check, fill, work
from figures import Figure
from server import Records

# In the order in which a job meets them.
STAGES = "enqueue", "claim and finish"


@dataclass(frozen=True)
class Life:
    """Totals of all jobs: bytes of WAL without full pages and transaction ids for each stage, records, dead rows."""

    wal: list
    transaction_ids: list
    records: dict
    dead: int
    jobs: int


def life(server, sizes):
    size = Size(sizes.jobs, clients=4, batch=50, rounds=1)
    ours, other = lives = [live(server, system, size) for system in SYSTEMS]
    wal = [sum(life.wal) / size.jobs for life in lives]
    ids = [sum(life.transaction_ids) / size.jobs for life in lives]
    dead = [life.dead / size.jobs for life in lives]
    condition = f"{size.jobs:,} jobs, enqueued 1000 a call, batches of 50, 100 bytes of payload"
    yield line("WAL of a job's whole life, bytes", condition, wal, "{:.0f}", ("≤ 550", wal[0] <= 550))
    yield line("transaction ids a job", condition, ids, "{:.4f}", ("≤ 0.03", ids[0] <= 0.03))
    yield line("dead rows a job", condition, dead, "{:.2f}")
    yield stages(ours, other)
    yield types(ours, other)


def line(what, condition, values, layout, aim=()):
    ours, other = values
    ratio = f"{ours / other:.2f} ×"
    return Figure(what, condition, layout.format(ours), f"update claim: {layout.format(other)}", ratio, aim)


def live(server, system, size):
    # No checkpoint comes between: the pages of a new table are newer than the last one, and none is written whole.
    server.sql("CHECKPOINT")
    with server.fresh_database(DATABASE):
        server.sql(system.text("install.sql"), DATABASE)
        marks = [server.marks()]
        fill(server, system, "on", size.jobs)
        marks.append(server.marks())
        server.sql("ANALYZE", DATABASE)
        marks.append(server.marks())
        work(server, system, "on", size)
        marks.append(server.marks())
        server.wait_until_sessions_are_gone(DATABASE)
        check(server, system, size)
        [[dead]] = server.sql("SELECT sum(n_dead_tup) FROM pg_stat_user_tables", DATABASE)
        return life_between(server, marks, int(dead), size.jobs)


def life_between(server, marks, dead, jobs):
    """Two stages, each between two marks."""
    wal, transaction_ids, records = [], [], {}
    for (start, first_id), (end, next_id) in (marks[0:2], marks[2:4]):
        total, full_pages = server.wal(start, end)
        wal.append(total - full_pages)
        transaction_ids.append(next_id - first_id)
        for name, kind in server.wal_records(start, end).items():
            before = records.get(name, Records(0, 0, 0))
            records[name] = Records(before.count + kind.count, before.size + kind.size, before.full_pages + kind.full_pages)
    return Life(wal, transaction_ids, records, dead, jobs)


def stages(ours, other):
    """The two stages apart."""
    lines = [
        "| a job's | WAL, pgqueuer | WAL, update claim | transaction ids, pgqueuer | transaction ids, update claim |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for number, stage in enumerate(STAGES):
        wal = [f"{life.wal[number] / life.jobs:.1f}" for life in (ours, other)]
        ids = [f"{life.transaction_ids[number] / life.jobs:.4f}" for life in (ours, other)]
        lines.append("| " + " | ".join([stage, *wal, *ids]) + " |")
    return "\n".join(lines)


def types(ours, other):
    """Records of a job by type, without full pages; those of a twentieth of a byte and less together."""
    names = sorted({*ours.records, *other.records}, key=lambda name: -size_of(ours, name) - size_of(other, name))
    shown = [name for name in names if max(size_of(ours, name), size_of(other, name)) > 0.05]
    lines = [
        "| WAL record | a job, pgqueuer | bytes a job | a job, update claim | bytes a job |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(type_line(name, [name], ours, other) for name in shown),
        type_line("all others", [name for name in names if name not in shown], ours, other),
    ]
    gaps = [(sum(life.wal) - sum(kind.size for kind in life.records.values())) / life.jobs for life in (ours, other)]
    lines.append(f"| alignment, headers of pages | | {gaps[0]:.1f} | | {gaps[1]:.1f} |")
    return "\n".join(lines)


def size_of(life, name):
    return life.records[name].size / life.jobs if name in life.records else 0


def type_line(title, names, ours, other):
    cells = [title]
    for life in ours, other:
        kinds = [life.records[name] for name in names if name in life.records]
        cells.append(f"{sum(kind.count for kind in kinds) / life.jobs:.4f}")
        cells.append(f"{sum(kind.size for kind in kinds) / life.jobs:.1f}")
    return "| " + " | ".join(cells) + " |"
