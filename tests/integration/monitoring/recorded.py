# SPDX-License-Identifier: Apache-2.0
"""What Prometheus would have scraped of a simulated trigger, as promtool takes it."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as parsed

from tests.lib.simulation.watched import Watched

INTERVAL = 15
"""Seconds between two scrapes."""

Series = Mapping[str, list[float | None]]
"""By the series' name with its labels: its value at each scrape, None: it is gone."""


def play(
    cluster: Mapping[str, Any],
    commands: str,
    before: Callable[[Watched], None] = lambda played: None,
) -> Series:
    """Play commands, and scrape.

    :param before: what there is beside them.
    """
    played = Watched(dict(cluster))
    before(played)
    found: dict[str, list[float | None]] = defaultdict(list)
    scrapes = 0

    def look() -> None:
        nonlocal scrapes
        if played.simulation.passed % INTERVAL:
            return
        scrapes += 1
        for family in parsed(played.metrics()):
            for sample in family.samples:
                series = found[_name(sample.name, sample.labels)]
                series += [None] * (scrapes - 1 - len(series))
                series.append(sample.value)
        for series in found.values():
            series += [None] * (scrapes - len(series))

    played.look = look
    look()
    played.play(played.read(commands))
    return found


def _name(name: str, labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}" if pairs else name


def input_series(series: Series, until: int) -> list[dict[str, str]]:
    """As promtool takes them; what was last so stays so.

    :param until: seconds, at least.
    """
    scrapes = until // INTERVAL + 1
    return [
        {"series": name, "values": _values([*values, *[values[-1]] * scrapes])}
        for name, values in sorted(series.items())
    ]


def _values(values: list[float | None]) -> str:
    """A series that ends is marked as stale, as Prometheus does at once."""
    parts, before = [], None
    for value, run in groupby(values):
        number = len(list(run))
        if value is not None:
            parts.append(f"{value!r}+0x{number - 1}")
        elif before is None:
            parts.append(f"_x{number}")
        else:
            parts.append("stale")
            parts += [f"_x{number - 1}"] if number > 1 else []
        before = value
    return " ".join(parts)
