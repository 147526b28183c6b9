# SPDX-License-Identifier: Apache-2.0
"""All checks on a subject, and what each needs of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nova_ha_scheduler.doctor import (
    admission,
    computes,
    hosts,
    mirror,
    scheduler,
    servers,
)
from nova_ha_scheduler.doctor.finding import Finding
from nova_ha_scheduler.doctor.subject import Subject

Check = Callable[[Subject], Iterable[Finding]]

_GROUPS: Sequence[tuple[Sequence[Check], tuple[str, ...]]] = (
    (scheduler.CHECKS, ("nova",)),
    (scheduler.OF_FLAVORS, ("nova", "flavors", "aggregates")),
    (admission.CHECKS, ("nova",)),
    (computes.CHECKS, ("nova",)),
    (hosts.CHECKS, ("picture",)),
    (servers.CHECKS, ("picture",)),
    (servers.OF_FLAVORS, ("picture", "flavors")),
    (mirror.OF_AGGREGATES, ("picture", "aggregates")),
    (mirror.CHECKS, ("picture",)),
    (mirror.OF_FENCING, ("picture", "methods")),
    (mirror.OF_DEVICES, ("broken",)),
)

MISSING = {
    "nova": "no nova.conf was given (--nova-conf)",
    "picture": "there is no picture of the cloud",
    "flavors": "a snapshot has no flavors",
    "aggregates": "a snapshot has no aggregates",
    "methods": "there is no fencing file",
    "broken": "no fence device was asked",
}
"""Why a check was left out, by what it needs."""


@dataclass(frozen=True)
class Examined:
    """:ivar findings: with the name of the check, the worst first.
    :ivar left_out: the checks that were not made, each with the reason.
    """

    findings: tuple[tuple[str, Finding], ...]
    passed: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def name_of(check: Callable[..., object]) -> str:
    """'reserve-without-zone'"""
    return str(check.__name__).replace("_", "-")


def examine(subject: Subject) -> Examined:
    """Make every check for which there is what it needs. Pure."""
    found: list[tuple[str, Finding]] = []
    passed, left_out = [], []
    for checks, needs in _GROUPS:
        missing = [need for need in needs if getattr(subject, need) is None]
        for check in checks:
            name = name_of(check)
            if missing:
                left_out.append((name, MISSING[missing[0]]))
                continue
            findings = [(name, finding) for finding in check(subject)]
            found += findings
            if not findings:
                passed.append(name)
    found.sort(key=lambda item: -item[1].severity)
    return Examined(tuple(found), tuple(passed), tuple(left_out))
