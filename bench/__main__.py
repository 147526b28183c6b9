# SPDX-License-Identifier: Apache-2.0
"""Measure, print tables, and write build/bench.json: a flat object of figures."""

import argparse
import json
from pathlib import Path

from bench import filters, scheduling


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--hosts", type=int, default=300, help="hosts of the cloud, in 10 zones"
    )
    parser.add_argument(
        "--rounds", type=int, default=8, help="how often each setting takes its turn"
    )
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    arguments = parser.parse_args()
    figures = filters.measure()
    figures |= scheduling.measure(arguments.hosts, arguments.rounds)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"written to {arguments.output}")


if __name__ == "__main__":
    main()
