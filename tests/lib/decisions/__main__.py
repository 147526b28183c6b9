# SPDX-License-Identifier: Apache-2.0
"""Keep every step of many lives, or decide what was kept again, and compare.

All scenarios, the tests that kill the trigger at every moment, and random lives. Exit
code 1 if a decision differs, or cannot be rebuilt. docs/testing.md says more.
"""

import argparse
import sys
from pathlib import Path

from tests.lib.decisions import lives
from tests.lib.decisions.compare import compare
from tests.lib.decisions.keep import keep
from tests.lib.decisions.renamed import RENAMED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.lib.decisions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (("keep", "play and keep"), ("compare", "decide again")):
        command = commands.add_parser(name, help=what)
        command.add_argument("directory", type=Path, metavar="DIR")
        if name == "keep":
            told = "random lives of each kind"
            command.add_argument("--seeds", type=int, default=40, help=told)
        else:
            told = "how many of each kind of difference are shown"
            command.add_argument("--examples", type=int, default=3, help=told)
    return parser.parse_args()


def _say(words: str) -> None:
    print(words, flush=True)


def main() -> int:
    args = _arguments()
    try:
        if args.command == "keep":
            keep(args.directory, lives.all_of(args.seeds), _say)
            return 0
        found = compare(args.directory, RENAMED, _say)
    except (OSError, EOFError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(*found.lines(args.examples), sep="\n")
    return int(not found.same)


if __name__ == "__main__":
    sys.exit(main())
