# SPDX-License-Identifier: Apache-2.0
"""Measure, print tables, and write build/bench.json: a flat object of figures.

Each part is a process of its own, as a process can have one cloud in its life.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

PARTS = ("filters", "scheduling", "recovery", "planner")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (all)"
    )
    parser.add_argument(
        "--hosts", type=int, default=300, help="hosts of the cloud, in 10 zones"
    )
    parser.add_argument(
        "--rounds", type=int, default=8, help="how often each setting takes its turn"
    )
    parser.add_argument(
        "--recoveries", type=int, default=2, help="how often each way has its turn"
    )
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if len(arguments.parts) != 1:
        return _each_by_itself(arguments.parts or PARTS, arguments.output)
    figures = _measure(arguments.parts[0], arguments)
    output: Path = arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(output.read_text()) if output.exists() else {}
    output.write_text(json.dumps({**known, **figures}, indent=2) + "\n")
    print(f"written to {output}")
    return 0


def _each_by_itself(parts: tuple[str, ...], output: Path) -> int:
    """:returns: how many parts broke."""
    output.unlink(missing_ok=True)
    arguments = [a for a in sys.argv[1:] if a not in PARTS]
    commands = [[sys.executable, "-m", "bench", part, *arguments] for part in parts]
    return sum(subprocess.run(command).returncode != 0 for command in commands)


def _measure(part: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Import what the part needs alone: Nova prepares its process when imported."""
    if part == "planner":
        from bench import planner

        return planner.measure()
    if part == "recovery":
        from bench import recovery

        return recovery.measure(arguments.recoveries)
    if part == "scheduling":
        from bench import scheduling

        return scheduling.measure(arguments.hosts, arguments.rounds)
    from bench import filters

    return filters.measure()


if __name__ == "__main__":
    sys.exit(main())
