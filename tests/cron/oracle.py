"""croniter's answers, for the tests in Rust.

A batch is lines of JSON, [expression, seconds since 1970, count], and ends with an empty line; then comes one line for
each: the next ticks in UTC, fewer than count if there is none in fifty years.
"""

import json
import sys

from croniter import CroniterBadDateError, croniter


def ticks(expression, after, count):
    # implement_cron_bug is croniter's name for Vixie cron's rule, ours: a day field that begins with a star, */2 too,
    # restricts nothing, so both day fields must match. Without it, only a plain star does that.
    schedule = croniter(expression, after, ret_type=float, day_or=True, implement_cron_bug=True)
    found = []
    try:
        for _ in range(count):
            found.append(int(schedule.get_next()))
    except CroniterBadDateError:
        pass
    return found


def main():
    batch = []
    for line in sys.stdin:
        if line.strip():
            batch.append(json.loads(line))
            continue
        for question in batch:
            print(json.dumps(ticks(*question)))
        sys.stdout.flush()
        batch = []


main()
