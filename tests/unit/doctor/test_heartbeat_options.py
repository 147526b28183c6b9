# SPDX-License-Identifier: Apache-2.0
"""What is advised of heartbeats and calls does no harm, and ends what was found."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from nova_ha_scheduler.doctor import heartbeat_options
from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.nova_conf import NovaConf
from nova_ha_scheduler.doctor.subject import Subject
from nova_ha_scheduler.evacuation.options import Options

INTERVALS = (-5, 0, 1, 5, 10, 30, 60, 61, 600, 3600)
TIMEOUTS = (0, 1, 9, 10, 30, 60, 90, 120, 121, 180, 600, 3600)
DOWN_TIMES = (1, 20, 40, 60, 90.5, 120, 300, 3600)
SERVICE_DOWN_TIMES = (1, 20, 60, 600)

SANE = {
    "report_interval": (1, 60),
    "rpc_response_timeout": (10, 120),
    "service_down_time": (60, 360),
    "down_time": (1, 240),
}

Settings = dict[str, float]


class _Nova(NovaConf):
    """Without a file: there are thousands."""

    def __init__(self, values: Settings) -> None:
        self._values = values

    def __call__(self, group: str | None, name: str) -> object:
        return self._values[name]


def _subject(settings: Settings) -> Subject:
    options = replace(Options(), down_time=settings["down_time"])
    return Subject(options, nova=_Nova(settings))


def _found(subject: Subject) -> Iterator[tuple[str, Finding]]:
    for check in heartbeat_options.CHECKS:
        for finding in check(subject):
            yield check.__name__, finding


def _advised(sentence: str) -> Settings:
    return {name: int(n) for name, n in re.findall(r"(\w+) = (-?\d+)", sentence)}


@pytest.mark.parametrize("interval", INTERVALS)
def test_advice_over_a_grid(interval: int) -> None:
    for timeout, down, service in itertools.product(
        TIMEOUTS, DOWN_TIMES, SERVICE_DOWN_TIMES
    ):
        now: Settings = {
            "report_interval": interval,
            "rpc_response_timeout": timeout,
            "service_down_time": service,
            "down_time": down,
        }
        for name, finding in list(_found(_subject(now))):
            for way in finding.mend.split("; or "):
                advised = _advised(way)
                assert advised, (now, finding)
                for option, value in advised.items():
                    least, most = SANE[option]
                    assert least <= value <= most, (now, finding)
                then = _subject(now | advised)
                assert name not in dict(_found(then)), (now, finding)


@pytest.mark.parametrize(
    ("now", "check", "mend"),
    [
        # The documentation's example once had rpc_response_timeout = 1 for this.
        (
            {"report_interval": 30, "rpc_response_timeout": 60, "down_time": 60},
            "calls_outlast_silence",
            "[detection] down_time = 120 in nova-ha.conf, and systemctl reload "
            "nova-ha-evacuator",
        ),
        (
            {"report_interval": 10, "rpc_response_timeout": 60, "down_time": 60},
            "calls_outlast_silence",
            "rpc_response_timeout = 40 in each compute's nova.conf; or [detection] "
            "down_time = 80 in nova-ha.conf, and systemctl reload nova-ha-evacuator",
        ),
        (
            {"report_interval": 10, "rpc_response_timeout": 1, "down_time": 60},
            "calls_too_short",
            "rpc_response_timeout = 60 in every nova.conf; [detection] down_time = 80 "
            "in nova-ha.conf, and systemctl reload nova-ha-evacuator",
        ),
        (
            {"report_interval": 900, "rpc_response_timeout": 40, "down_time": 60},
            "heartbeats_too_rare",
            "report_interval = 10 in every nova.conf",
        ),
    ],
)
def test_advice(now: Settings, check: str, mend: str) -> None:
    found = dict(_found(_subject(now | {"service_down_time": 3600})))
    assert found[check].mend == mend


def test_no_heartbeats_at_all() -> None:
    now: Settings = {"report_interval": 0, "rpc_response_timeout": 60, "down_time": 60}
    now["service_down_time"] = 60
    found = dict(_found(_subject(now)))
    assert found["heartbeats_too_rare"].severity is Severity.ERROR
    assert found["heartbeats_too_rare"].what == "report_interval is 0 s"
