# SPDX-License-Identifier: Apache-2.0
"""Measure, print tables, and write build/bench.json: a flat object of figures.

Each part is a process of its own, as a process can have one cloud in its life.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from bench.effort import FULL, SHORT, Effort

PARTS = (
    "filters",
    "scheduling",
    "recovery",
    "planner",
    "commands",
    "scrape",
    "detection",
    "pacing",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (all)"
    )
    parser.add_argument(
        "--short",
        action="store_true",
        help="some seconds a part: does the benchmark work? Its figures mean nothing",
    )
    parser.add_argument(
        "--hosts", type=int, help="hosts of the scheduler's cloud, in 10 zones (300)"
    )
    parser.add_argument(
        "--rounds", type=int, help="how often each setting takes its turn (8)"
    )
    parser.add_argument(
        "--recoveries", type=int, help="how often each way has its turn (2)"
    )
    parser.add_argument("--cuts", type=int, help="how many hosts lose their power (20)")
    parser.add_argument("--hangs", type=int, help="how many hang, with --stack (20)")
    parser.add_argument(
        "--turns", type=int, help="how often each way to ask has its turn (5)"
    )
    parser.add_argument(
        "--stack",
        action="store_true",
        help="detection: on an OpenStack of processes, where hosts hang, too (needs "
        "what make fullstack does, and root)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="default: build/bench.json, with --short build/bench-short.json",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    short = "-short" if arguments.short else ""
    output: Path = arguments.output or Path(f"build/bench{short}.json")
    if len(arguments.parts) != 1:
        options = [a for a in sys.argv[1:] if a not in PARTS]
        return each_by_itself(arguments.parts or PARTS, output, options)
    figures = _measure(arguments.parts[0], _effort(arguments))
    output.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(output.read_text()) if output.exists() else {}
    output.write_text(json.dumps({**known, **figures}, indent=2) + "\n")
    print(f"written to {output}")
    return 0


def _effort(arguments: argparse.Namespace) -> Effort:
    effort = SHORT if arguments.short else FULL
    names = ("hosts", "rounds", "recoveries", "cuts", "turns", "hangs", "stack")
    said = {name: getattr(arguments, name) for name in names}
    return replace(effort, **{n: value for n, value in said.items() if value})


def each_by_itself(parts: Sequence[str], output: Path, options: Sequence[str]) -> int:
    """:returns: how many parts broke."""
    output.unlink(missing_ok=True)
    commands = [[sys.executable, "-m", "bench", part, *options] for part in parts]
    return sum(subprocess.run(command).returncode != 0 for command in commands)


def _measure(part: str, effort: Effort) -> dict[str, float]:
    """Import what the part needs alone: Nova prepares its process when imported."""
    measured: dict[str, float] = import_module(f"bench.{part}").measure(effort)
    return measured


if __name__ == "__main__":
    sys.exit(main())
