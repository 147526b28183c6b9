# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.lib.chaos --seed 1 --minutes 3``: see ``--help``."""

import argparse
import itertools
import sys
import time
from pathlib import Path

from tests.lib.chaos import choices
from tests.lib.chaos.results import Result, Results
from tests.lib.chaos.run import Run
from tests.lib.real.stack import RealStack
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
    parser.add_argument("--real", action="store_true", help="libvirt, QEMU, and so on")
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="add what each seed comes to; those that are there, with these minutes "
        "and no breach, are not run again",
    )
    parser.add_argument("--choices", action="store_true", help="show them, and no more")
    return parser.parse_args()


def show(seed: int, minutes: float, real: bool) -> None:
    """Print what the seed has in store: as much as there may be time for."""
    number = max(1, round(minutes * _PER_MINUTE))
    print(f"The choices of seed {seed}; the journal is on {choices.journal(seed)}:")
    for zone in sorted({*Layout().zones.values()}):
        for blow in itertools.islice(choices.blows(seed, zone, real), number):
            print(f"  {zone}  {blow}")
    for trouble in itertools.islice(choices.troubles(seed, real), number):
        print(f"  {trouble}")


def _say(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, flush=True)


def main() -> int:
    args = _arguments()
    results = Results(args.results)
    seeds = results.missing(args.seed, args.minutes, args.real)
    for seed in seeds:
        show(seed, args.minutes, args.real)
    if args.choices:
        return 0
    broken = bool(seeds) and _run(seeds, args, results)
    print(*results, f"all: {results.sum}", sep="\n")
    return int(broken)


def _run(seeds: list[int], args: argparse.Namespace, results: Results) -> bool:
    """Run seeds one after another on one stack, until a rule is broken; whether one
    was."""
    _say("starting the stack")
    with RealStack() if args.real else Stack() as stack:
        for number, seed in enumerate(seeds):
            if number:
                stack.heal()
            _say(f"seed {seed} begins")
            tally = Run(stack, seed, _say).run(args.minutes)
            result = Result(seed, args.minutes, args.real, tally)
            results.add(result)
            _say(str(result))
            if tally.breaches:
                print(f"The logs: {stack.site.logs}, the records: {stack.site.room}")
                return True
    stack.remove()
    return False


if __name__ == "__main__":
    sys.exit(main())
