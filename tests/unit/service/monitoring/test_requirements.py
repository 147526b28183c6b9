# SPDX-License-Identifier: Apache-2.0
"""The extra ``evacuator`` brings no package for what the trigger tells by itself: all
of it came with what the extra named before."""

import functools
from collections.abc import Iterable, Iterator
from importlib import metadata

from packaging.requirements import Requirement

OURS, EXTRA = "nova-ha-scheduler", "evacuator"

BEFORE = """
    alembic cliff keystoneauth1 openstacksdk oslo.db oslo.messaging
    oslo.service[threading] pyyaml requests sqlalchemy stevedore sushy tooz
    oslo.config oslo.context oslo.log oslo.utils packaging
"""
"""What the package and its extra named before there were metrics and messages."""


def needs(name: str, extra: str = "") -> Iterator[Requirement]:
    for line in metadata.requires(name) or ():
        found = Requirement(line)
        if found.marker is None or found.marker.evaluate({"extra": extra}):
            yield found


@functools.cache
def brought(name: str, extra: str = "") -> frozenset[str]:
    """A package, and all that it needs."""
    found = {name}
    for needed in needs(name, extra):
        found |= by(needed)
    return frozenset(found)


def by(needed: Requirement) -> frozenset[str]:
    name = needed.name.lower().replace("_", "-")
    extras = {"", *needed.extras}
    return frozenset[str]().union(*(brought(name, extra) for extra in extras))


def all_of(wanted: Iterable[Requirement]) -> frozenset[str]:
    return frozenset[str]().union(*map(by, wanted))


def test_no_package_is_new() -> None:
    now = all_of([*needs(OURS), *needs(OURS, EXTRA)])
    before = all_of(map(Requirement, BEFORE.split()))
    assert {"prometheus-client", "oslo.middleware"} <= now
    assert now - before == set()
