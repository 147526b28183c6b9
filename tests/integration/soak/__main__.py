# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.integration.soak --minutes 60``: hours of virtual time, then of
real time."""

from tests.integration.soak import real  # isort: skip  (prepares the process for Nova)

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.integration.soak import virtual

DOWN_TIME = 12


def _say(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, flush=True)


def main() -> int:
    """:returns: 1 if anything was over its ceiling."""
    parser = argparse.ArgumentParser("tests.integration.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of real time")
    parser.add_argument("--hours", type=float, default=4.0, help="of virtual time")
    found = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="nova-ha-soak-"))
    breaches = _virtual(folder, found.hours) + _real(folder, found.minutes)
    for breach in breaches:
        _say(f"BREACH: {breach}")
    if breaches:
        _say(f"logs: {folder}")
    return int(bool(breaches))


def _virtual(folder: Path, hours: float) -> list[str]:
    if not hours:
        return []
    began = time.monotonic()
    outcome = virtual.soak(folder, hours)
    rows = sum(outcome.rows[-1].values())
    _say(
        f"{hours:g} virtual hours in {time.monotonic() - began:.0f} s: {outcome.ends}; "
        f"{rows} rows, at most {outcome.records} records in memory, "
        f"{outcome.rss[0]:.1f} to {outcome.rss[-1]:.1f} MiB"
    )
    return virtual.breaches(outcome)


def _real(folder: Path, minutes: float) -> list[str]:
    if not minutes:
        return []
    with (
        real.site(folder, DOWN_TIME, _say) as (soak, trigger),
        trigger.running(120) as process,
    ):
        tally = soak.run(process, minutes)
    _say(f"{tally.seconds / 60:.0f} minutes, {len(tally.figures)} rounds")
    return tally.breaches


if __name__ == "__main__":
    sys.exit(main())
