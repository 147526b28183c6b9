# SPDX-License-Identifier: Apache-2.0
"""What the runs of chaos have come to: kept in a file, a run need not be made again."""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Tally:
    """What a run has come to."""

    failures: int = 0
    recovered: int = 0
    faults: int = 0
    breaches: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.failures} host failures, {self.recovered} servers recovered, "
            f"{self.faults} faults, {len(self.breaches)} breaches"
        )


@dataclass(frozen=True)
class Result:
    """One run's."""

    seed: int
    minutes: float
    real: bool
    tally: Tally

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.minutes:g} minutes: {self.tally}"


class Results:
    """Those of one file; those of this run alone, if there is none."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        kept = file.read_text().splitlines() if file and file.exists() else []
        self._all = [_result(**json.loads(line)) for line in kept]

    def __iter__(self) -> Iterator[Result]:
        return iter(sorted(self._all, key=lambda result: result.seed))

    def missing(self, seeds: Collection[int], minutes: float, real: bool) -> list[int]:
        """Those of some seeds that were not run for so long and without a breach."""
        done = {
            (result.seed, result.minutes, result.real)
            for result in self._all
            if not result.tally.breaches
        }
        return [seed for seed in seeds if (seed, minutes, real) not in done]

    def add(self, result: Result) -> None:
        self._all.append(result)
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as file:
                file.write(json.dumps(asdict(result)) + "\n")

    @property
    def sum(self) -> Tally:
        """Of all runs."""
        tallies = [result.tally for result in self._all]
        return Tally(
            sum(tally.failures for tally in tallies),
            sum(tally.recovered for tally in tallies),
            sum(tally.faults for tally in tallies),
            [breach for tally in tallies for breach in tally.breaches],
        )


def _result(tally: dict[str, object], **rest: object) -> Result:
    return Result(tally=Tally(**tally), **rest)  # type: ignore[arg-type]
