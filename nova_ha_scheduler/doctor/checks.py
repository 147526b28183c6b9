# SPDX-License-Identifier: Apache-2.0
"""All checks on a subject, and what each needs of it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from nova_ha_scheduler.doctor import (
    admission,
    choice,
    computes,
    heartbeat_options,
    host_tags,
    mirror,
    scheduler,
    servers,
)
from nova_ha_scheduler.doctor.finding import Finding
from nova_ha_scheduler.doctor.subject import Subject

Check = Callable[[Subject], Iterable[Finding]]

_GROUPS: Sequence[tuple[Sequence[Check], tuple[str, ...]]] = (
    (choice.CHECKS, ()),
    (choice.OF_NOVA, ("nova",)),
    (scheduler.CHECKS, ("nova",)),
    (scheduler.OF_FLAVORS, ("nova", "flavors", "aggregates")),
    (admission.CHECKS, ("nova",)),
    (computes.CHECKS, ("nova",)),
    (heartbeat_options.CHECKS, ("nova",)),
    (host_tags.CHECKS, ("picture",)),
    (servers.CHECKS, ("picture",)),
    (servers.OF_FLAVORS, ("picture", "flavors")),
    (servers.OF_VOLUMES, ("picture", "locked")),
    (mirror.OF_AGGREGATES, ("picture", "aggregates")),
    (mirror.CHECKS, ("picture",)),
    (mirror.OF_FENCING, ("picture", "methods")),
    (mirror.OF_DEVICES, ("broken",)),
)

_ELSE = {
    "nova": "nova.conf could not be read",
    "picture": "there is no picture of the cloud",
    "flavors": "there is no picture of the cloud",
    "aggregates": "there is no picture of the cloud",
    "locked": "Cinder, or Barbican, could not be asked",
    "methods": "the fencing file could not be read",
    "broken": "no fence device could be asked",
}
"""Why a check was left out, by what it needs."""

CHOSEN = {
    "nova": "no nova.conf was given (--nova-conf)",
    "flavors": "a snapshot has no flavors",
    "aggregates": "a snapshot has no aggregates",
    "locked": "a snapshot has no keys",
    "methods": "there is no fencing file",
    "broken": "no fence device was asked",
}
"""The same, where the person who asks did not want it otherwise."""


@dataclass(frozen=True)
class LeftOut:
    """A check that was not made.

    :ivar chosen: whether nobody asked for it; else it could not be made.
    """

    name: str
    why: str
    chosen: bool


@dataclass(frozen=True)
class Examined:
    """:ivar findings: with the name of the check, the worst first."""

    findings: tuple[tuple[str, Finding], ...]
    passed: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def name_of(check: Callable[..., object]) -> str:
    """'reserve-without-zone'"""
    return str(check.__name__).replace("_", "-")


def examine(subject: Subject, chosen: Collection[str] = CHOSEN) -> Examined:
    """Make every check for which there is what it needs. Pure.

    :param chosen: what is not there because nobody asked for it.
    """
    found: list[tuple[str, Finding]] = []
    passed: list[str] = []
    left_out: list[LeftOut] = []
    for checks, needs in _GROUPS:
        missing = [need for need in needs if getattr(subject, need) is None]
        for check in checks:
            name = name_of(check)
            if missing:
                left_out.append(_left_out(name, missing, chosen))
                continue
            findings = [(name, finding) for finding in check(subject)]
            found += findings
            if not findings:
                passed.append(name)
    found.sort(key=lambda item: -item[1].severity)
    return Examined(tuple(found), tuple(passed), tuple(left_out))


def _left_out(name: str, missing: Sequence[str], chosen: Collection[str]) -> LeftOut:
    for need in missing:
        if need not in chosen:
            return LeftOut(name, _ELSE[need], False)
    return LeftOut(name, CHOSEN[missing[0]], True)
