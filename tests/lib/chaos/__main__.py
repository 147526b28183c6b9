# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.lib.chaos --seed 1 --minutes 3``: see ``--help``."""

import argparse
import itertools
import sys
import time

from tests.lib.chaos import choices
from tests.lib.chaos.run import Run, Tally
from tests.lib.stack.site import Layout
from tests.lib.stack.stack import Stack

_PER_MINUTE = 6
"""No zone loses more hosts in a minute, and not more troubles come."""


def seeds(text: str) -> range:
    """The seeds that are meant by 7, or by 1-10."""
    first, _, last = text.partition("-")
    try:
        found = range(int(first), int(last or first) + 1)
    except ValueError:
        found = range(0)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is neither a number nor like 1-10")
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.lib.chaos", description=__doc__)
    parser.add_argument("--seed", type=seeds, default=range(1, 2), help="1, or 1-10")
    parser.add_argument("--minutes", type=float, default=3.0, help="for each seed")
    parser.add_argument("--choices", action="store_true", help="show them, and no more")
    return parser.parse_args()


def show(seed: int, minutes: float) -> None:
    """Print what the seed has in store: as much as there may be time for."""
    number = max(1, round(minutes * _PER_MINUTE))
    print(f"The choices of seed {seed}; the journal is on {choices.journal(seed)}:")
    for zone in sorted({*Layout().zones.values()}):
        for blow in itertools.islice(choices.blows(seed, zone), number):
            print(f"  {zone}  {blow}")
    for trouble in itertools.islice(choices.troubles(seed), number):
        print(f"  {trouble}")


def _say(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, flush=True)


def summary(seed: int, minutes: float, tally: Tally) -> str:
    return (
        f"seed {seed}, {minutes:g} minutes: {tally.failures} host failures, "
        f"{tally.recovered} servers recovered, {tally.faults} faults, "
        f"{len(tally.breaches)} breaches"
    )


def main() -> int:
    args = _arguments()
    for seed in args.seed:
        show(seed, args.minutes)
    if args.choices:
        return 0
    _say("starting the stack")
    lines, broken = [], False
    with Stack() as stack:
        for seed in args.seed:
            _say(f"seed {seed} begins")
            tally = Run(stack, seed, _say).run(args.minutes)
            lines.append(summary(seed, args.minutes, tally))
            _say(lines[-1])
            if tally.breaches:
                broken = True
                break
            stack.heal()
        if broken:
            print(f"The logs: {stack.site.logs}, the records: {stack.site.room}")
    if not broken:
        stack.remove()
    print(*lines, sep="\n")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
