"""What the comparison needs to know of a system."""
from dataclasses import dataclass, field

SCENARIOS = "enqueue1", "enqueue32", "enqueue_batch", "drain", "drain_held", "contention", "latency", "idle"


@dataclass(frozen=True)
class System:
    """A queue, the program that drives it, and the settings of each scenario, which that program understands."""

    name: str
    #: A file in drivers/, or "client": the crate beside it.
    driver: str
    #: Counts the jobs that are not finished.
    pending: str
    #: One line for the report.
    settings: str
    #: For every operation of the driver.
    texts: dict = field(default_factory=dict)
    #: One worker process at its best.
    work: dict = field(default_factory=dict)
    #: As many processes as "processes" says, which consume one job at a time.
    contention: dict = field(default_factory=dict)
    latency: dict = field(default_factory=dict)
    #: 20 workers.
    idle: dict = field(default_factory=dict)
    scenarios: tuple = SCENARIOS
    drain_jobs: int = 100_000
    held_jobs: int = 200_000
    contention_jobs: int = 12_000
