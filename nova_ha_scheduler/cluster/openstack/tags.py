# SPDX-License-Identifier: Apache-2.0
"""What the host aggregates say of each host; where that is not known, no.

============================  ======================================================
cannot be read                what is held for unreadable
============================  ======================================================
the value of one of our keys  that key, for the aggregate's hosts
its metadata                  all of our keys, for its hosts
one of its hosts, or all      each of our keys in it, for the hosts that were in it
the aggregate                 all of our keys, for the hosts of those that were there
                              in an earlier look and are not now
the same, and in no look      the same keys, for every host of which no other aggregate
before                        says them: any of them may be in it
============================  ======================================================

A host whose ``storage_zone`` is unreadable may go nowhere, and nothing may go there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nova_ha_scheduler import host_facts
from nova_ha_scheduler.cluster.openstack import fields
from nova_ha_scheduler.cluster.openstack.fields import BadAnswer, Notes
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts

KIND = "aggregate"

_KEYS = frozenset(vocabulary.AGGREGATE_KEYS)


@dataclass(frozen=True)
class Said:
    """What one aggregate says, as far as it can be read.

    :ivar unknown: our keys whose values are not known.
    :ivar hosts: those that can be read; stray: whether there are others.
    :ivar why: what of it cannot be read; "": all can.
    """

    id: str
    name: str
    metadata: Mapping[str, str]
    unknown: frozenset[str]
    hosts: frozenset[str]
    stray: bool
    why: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """Those of ours of which it says something, or may."""
        return self.unknown | vocabulary.aggregate_keys(self.metadata)


class HostTags:
    """By host.

    :ivar seen: the aggregates as they were when they could be read, by their ids.
    """

    def __init__(
        self, found: Iterable[Any], notes: Notes, before: Mapping[str, Said]
    ) -> None:
        """
        :param notes: get what cannot be read.
        :param before: what an earlier look has seen.
        """
        all_said = [self._noted(raw, notes) for raw in found]
        shown = {said.id for said in all_said if said.id}
        self.seen = {said.id: said for said in all_said if not said.why}
        gone = [said for id, said in before.items() if id not in shown]
        self._of: dict[str, list[Said]] = defaultdict(list)
        self._stray: list[Said] = []
        for said in all_said:
            for host in said.hosts:
                self._of[host].append(said)
            if said.stray:
                # What it was, or what it may have been.
                known = [before[said.id]] if said.id in before else []
                self._doubt(said, known if said.id else gone)

    def _doubt(self, said: Said, older: Sequence[Said]) -> None:
        """One whose hosts cannot be read, or not all."""
        self.seen |= {one.id: one for one in older}
        doubtful = replace(said, metadata={}, unknown=said.keys)
        for host in frozenset[str]().union(*(one.hosts for one in older)) - said.hosts:
            self._of[host].append(doubtful)
        if not older:
            self._stray.append(doubtful)

    @staticmethod
    def _noted(raw: Any, notes: Notes) -> Said:
        said = read(raw)
        if said.why:
            notes.add(KIND, raw, said.why)
        host_facts.of_aggregate(said.name, said.metadata)
        return said

    def of(self, host: str) -> HostFacts:
        """What all aggregates say of a host together."""
        mine = self._of.get(host, [])
        facts = HostFacts.of(said.metadata for said in mine)
        spoken = frozenset(key for said in mine for key in said.keys)
        bad = {(k, _sentence(said, k)) for said in mine for k in said.unknown}
        for said in self._stray:
            bad |= {(key, _sentence(said, key)) for key in said.keys - spoken}
        if not bad:
            return facts
        return replace(facts, bad=tuple(sorted({*facts.bad, *bad})))


def read(raw: Any) -> Said:
    """One aggregate, as far as it can be read."""
    try:
        found = fields.fields(raw)
    except BadAnswer as error:
        return Said("", "?", {}, _KEYS, frozenset(), True, str(error))
    number = found.get("id")
    id = str(number) if isinstance(number, int) else ""
    name = fields.words(found, "name") or id or "?"
    problems: list[str] = []
    metadata: dict[str, str] = {}
    unknown: Collection[str] = ()
    try:
        metadata, unknown = _metadata(fields.fields(found.get("metadata")))
        problems += [f"the value of {key}" for key in sorted(unknown)]
    except BadAnswer:
        unknown = _KEYS
        problems.append("its metadata")
    hosts, stray = _hosts(found.get("hosts"))
    if stray:
        problems.append("its hosts")
    why = f"{' and '.join(problems)} cannot be read" if problems else ""
    return Said(id, name, metadata, frozenset(unknown), hosts, stray, why)


def _metadata(found: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    metadata: dict[str, str] = {}
    unknown: list[str] = []
    for key in found:
        try:
            metadata[key] = fields.text(found, key)
        except BadAnswer:
            unknown += vocabulary.aggregate_keys([key])
    return metadata, unknown


def _hosts(found: Any) -> tuple[frozenset[str], bool]:
    """Those that can be read, and whether there are others."""
    if not isinstance(found, list):
        return frozenset(), True
    names = list(fields.each(found, lambda host: fields.name({"": host}, "")))
    return frozenset(names), len(names) < len(found)


def _sentence(said: Said, key: str) -> str:
    return f"{key} of aggregate {said.name} cannot be read"
