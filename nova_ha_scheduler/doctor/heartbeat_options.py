# SPDX-License-Identifier: Apache-2.0
"""Checks on nova.conf: whether a silent nova-compute is a dead one.

What is advised for one of these options goes with what is advised for the others, and
is never a value that harms: see :func:`_mended`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.subject import Subject

ERROR, WARNING = Severity.ERROR, Severity.WARNING

_BEATS = 4
"""Half of down_time has to hold two heartbeats: see [detection] down_time."""

_INTERVAL, _TIMEOUT, _DOWN = 10, 60, 60
"""Nova's own values of report_interval, rpc_response_timeout and service_down_time."""

_SLOWEST = 60
"""Seconds between heartbeats, beyond which no down_time is worth advising."""

_QUICKEST_CALLS, _SLOWEST_CALLS = 10, 120
"""Seconds. A call that is not waited for long enough fails on a busy cloud; one that
is waited for longer keeps a nova-compute silent for longer than a death should be."""

_SHORTENED_CALLS = 30
"""Seconds: calls are not advised to be shorter than that where they were longer."""


@dataclass(frozen=True)
class _Times:
    """In seconds."""

    interval: int
    timeout: int
    down: float

    @classmethod
    def of(cls, subject: Subject) -> "_Times":
        return cls(
            subject.conf.number(None, "report_interval"),
            subject.conf.number(None, "rpc_response_timeout"),
            subject.options.down_time,
        )


def heartbeats_too_rare(subject: Subject) -> Iterator[Finding]:
    times = _Times.of(subject)
    if times.interval < 1:
        yield Finding(
            ERROR,
            f"report_interval is {times.interval} s",
            "No service sends a heartbeat: Nova's API shows none that is up.",
            _advice(times),
        )
    elif times.down < times.interval * _BEATS:
        yield Finding(
            ERROR,
            f"[detection] down_time is {times.down:g} s, and Nova's report_interval "
            f"{times.interval} s",
            "The trigger fences nothing while every service is silent for half of "
            "down_time. With fewer than four heartbeats in down_time, that happens "
            "while all is well.",
            _advice(times),
        )


def calls_outlast_silence(subject: Subject) -> Iterator[Finding]:
    times = _Times.of(subject)
    if times.interval < 1 or times.timeout + times.interval < times.down:
        return
    advice = _advice(times)
    shorter = int(times.down) - 2 * times.interval
    if _SHORTENED_CALLS <= shorter <= min(times.timeout - 1, _SLOWEST_CALLS):
        advice = (
            f"rpc_response_timeout = {shorter} in each compute's nova.conf; or {advice}"
        )
    yield Finding(
        WARNING,
        f"rpc_response_timeout is {times.timeout} s, and [detection] down_time "
        f"{times.down:g} s",
        "When a conductor is killed, a nova-compute that waits for its answer sends "
        "no heartbeat for rpc_response_timeout. The trigger then suspects a host "
        "that is well.",
        advice,
    )


def calls_too_short(subject: Subject) -> Iterator[Finding]:
    timeout = subject.conf.number(None, "rpc_response_timeout")
    if timeout < _QUICKEST_CALLS:
        yield Finding(
            WARNING,
            f"rpc_response_timeout is {timeout} s",
            "Calls between Nova's services fail whenever a service is busy, for "
            "example while many servers are evacuated.",
            _advice(_Times.of(subject)),
        )


def down_before_it_beats(subject: Subject) -> Iterator[Finding]:
    times = _Times.of(subject)
    down = subject.conf.number(None, "service_down_time")
    if down < 2 * times.interval:
        interval = _mended(times).interval
        wanted = f"service_down_time = {max(_DOWN, 6 * interval)}"
        if interval != times.interval:
            wanted += f" and report_interval = {interval}"
        yield Finding(
            ERROR,
            f"service_down_time is {down} s, and report_interval {times.interval} s",
            "Nova calls services down that are well: one late heartbeat is enough.",
            f"{wanted} in every nova.conf",
        )


def _mended(now: _Times) -> _Times:
    """Values near today's with which these checks find nothing: heartbeats every
    minute at the rarest, calls that last 10 to 120 s, a death seen within 240 s."""
    interval = now.interval if 1 <= now.interval <= _SLOWEST else _INTERVAL
    allowed = _QUICKEST_CALLS <= now.timeout <= _SLOWEST_CALLS
    timeout = now.timeout if allowed else _TIMEOUT
    least = max(_BEATS * interval, timeout + 2 * interval)
    return _Times(interval, timeout, max(now.down, least))


def _advice(now: _Times) -> str:
    mended = _mended(now)
    theirs = [
        f"{name} = {wanted}"
        for name, wanted, today in (
            ("report_interval", mended.interval, now.interval),
            ("rpc_response_timeout", mended.timeout, now.timeout),
        )
        if wanted != today
    ]
    parts = [f"{' and '.join(theirs)} in every nova.conf"] if theirs else []
    if mended.down != now.down:
        parts.append(
            f"[detection] down_time = {math.ceil(mended.down)} in nova-ha.conf, and "
            "systemctl reload nova-ha-evacuator"
        )
    return "; ".join(parts)


CHECKS = (
    heartbeats_too_rare,
    calls_outlast_silence,
    calls_too_short,
    down_before_it_beats,
)
