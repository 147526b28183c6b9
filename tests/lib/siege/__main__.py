# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.lib.siege --seed 1-20``: see ``--help``."""

from tests.lib.siege import site  # isort: skip  (prepares the process for Nova)

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.lib.chaos.__main__ import seeds
from tests.lib.siege.run import Run, Tally


def _say(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, flush=True)


def _summary(seed: int, tally: Tally) -> str:
    taken = tally.taken
    return (
        f"seed {seed}: {tally.storm}{sum(tally.spoilt.values())} answers spoilt; the "
        f"second host was recovered in {tally.second:.0f} s, of the first: "
        f"{tally.first}; {taken.rss} MiB, {taken.threads} threads, "
        f"{taken.descriptors} descriptors, {taken.log} KiB of log; "
        f"{len(tally.breaches)} breaches"
    )


def main() -> int:
    parser = argparse.ArgumentParser("tests.lib.siege", description=__doc__)
    parser.add_argument("--seed", type=seeds, default=range(1, 2), help="1, or 1-20")
    seeds_wanted = parser.parse_args().seed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and all with it
    folder = Path(tempfile.mkdtemp(prefix="siege-"))
    lines, broken = [], False
    with site.running(folder) as found:
        for number, seed in enumerate(seeds_wanted):
            if number:
                found.heal()
            _say(f"seed {seed} begins")
            room = folder / f"seed-{seed}"
            room.mkdir()
            tally = Run(found, seed, room, _say).go()
            broken = broken or bool(tally.breaches)
            lines.append(_summary(seed, tally))
            _say(lines[-1])
    if broken:
        print(f"What is left of it: {folder}")
    else:
        shutil.rmtree(folder)
    print(*lines, sep="\n")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
