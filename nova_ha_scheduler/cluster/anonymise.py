# SPDX-License-Identifier: Apache-2.0
"""A picture without any name that a person has given, of the same structure.

Names of one kind are numbered in their order, so that what is decided by name comes
out the same. What no rule looks at is left out, and sentences say only what they are
about.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from nova_ha_scheduler.cluster.picture import (
    Host,
    Migration,
    Picture,
    Server,
)
from nova_ha_scheduler.cluster.providers import Portion, Provider, Resources
from nova_ha_scheduler.cluster.snapshot import picture as picture_of
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts
from nova_ha_scheduler.rules.vocabulary import BadValue

_UNREADABLE = "unreadable"


def anonymise(picture: Picture) -> Picture:
    """The same cloud; two pictures with the same names get the same new ones."""
    names = _Names.of(picture)
    return picture_of(
        picture.taken_at,
        (names.host(host) for host in picture.hosts.values()),
        (names.server(server) for server in picture.servers.values()),
        (names.migration(record) for record in picture.migrations),
    )


def _numbered(kind: str, found: Iterable[str | None]) -> dict[str, str]:
    names = sorted({name for name in found if name is not None})
    width = len(str(len(names)))
    return {name: f"{kind}{n:0{width}}" for n, name in enumerate(names, 1)}


def _custom(kind: str, found: Iterable[str]) -> dict[str, str]:
    """Only what begins with CUSTOM_ is an operator's word."""
    words = (name for name in found if name.startswith("CUSTOM_"))
    return _numbered(f"CUSTOM_{kind}_", words)


@dataclass(frozen=True)
class _Names:
    """The new name for each old one."""

    hosts: Mapping[str, str]
    zones: Mapping[str, str]
    availability_zones: Mapping[str, str]
    uuids: Mapping[str, str]
    servers: Mapping[str, str]
    groups: Mapping[str, str]
    traits: Mapping[str, str]
    resources: Mapping[str, str]

    @classmethod
    def of(cls, picture: Picture) -> "_Names":
        hosts, servers = picture.hosts.values(), picture.servers.values()
        records = picture.migrations
        named = {host.name for host in hosts} | {s.host for s in servers}
        named |= {host for s in servers for host in s.group_hosts}
        named |= {m.source for m in records}
        named |= {m.destination for m in records if m.destination is not None}
        traits = {trait for host in hosts for trait in host.traits}
        traits |= {t for s in servers for t in s.traits | s.forbidden_traits}
        portions = [portion for s in servers for portion in s.portions]
        traits |= {t for one in portions for t in one.traits | one.forbidden_traits}
        amounts = [host.free for host in hosts] + [host.capacity for host in hosts]
        amounts += [server.needs for server in servers]
        uuids = sorted({s.uuid for s in servers} | {m.server for m in records})
        return cls(
            _numbered("host", named),
            _numbered("zone", (zone for host in hosts for zone in host.facts.zones)),
            _numbered(
                "az",
                [host.availability_zone for host in hosts]
                + [server.availability_zone for server in servers],
            ),
            {old: str(uuid.UUID(int=n)) for n, old in enumerate(uuids, 1)},
            _numbered("server", (server.name for server in servers)),
            _numbered("group", (server.group for server in servers)),
            _custom("TRAIT", traits),
            _custom("RESOURCE", {name for some in amounts for name in some or ()}),
        )

    def host(self, host: Host) -> Host:
        reason = host.disabled_reason
        facts, marked = host.facts, reason.startswith(vocabulary.OUR_MARK)
        return replace(
            host,
            name=self.hosts[host.name],
            facts=HostFacts(
                frozenset(self.zones[zone] for zone in facts.zones),
                facts.flags,
                tuple((key, f"{key} is {_UNREADABLE}") for key, _ in facts.bad),
            ),
            disabled_reason=reason
            and (vocabulary.OUR_MARK if marked else "") + "a reason",
            availability_zone=self.availability_zones[host.availability_zone],
            free=self._amounts(host.free),
            capacity=self._amounts(host.capacity),
            traits=self._traits(host.traits),
            providers=tuple(map(self._provider, host.providers)),
            unreadable=host.unreadable and _UNREADABLE,
        )

    def server(self, server: Server) -> Server:
        pinned, group = server.availability_zone, server.group
        return replace(
            server,
            uuid=self.uuids[server.uuid],
            name=self.servers[server.name],
            host=self.hosts[server.host],
            extra_specs=_known(server.extra_specs),
            metadata=_known(server.metadata),
            needs=self._amounts(server.needs) or {},
            refused_by_nova=server.refused_by_nova and "a reason",
            refused_live=server.refused_live and "a reason",
            refused_cold=server.refused_cold and "a reason",
            traits=self._traits(server.traits),
            forbidden_traits=self._traits(server.forbidden_traits),
            portions=tuple(map(self._portion, server.portions)),
            availability_zone=pinned and self.availability_zones[pinned],
            group=group and self.groups[group],
            group_hosts=frozenset(self.hosts[name] for name in server.group_hosts),
            missing=None,
            unreadable=server.unreadable and _UNREADABLE,
        )

    def migration(self, record: Migration) -> Migration:
        to = record.destination
        return replace(
            record,
            server=self.uuids[record.server],
            source=self.hosts[record.source],
            destination=None if to is None else self.hosts[to],
        )

    def _amounts(self, amounts: Resources | None) -> Resources | None:
        if amounts is None:
            return None
        return {self.resources.get(name, name): n for name, n in amounts.items()}

    def _provider(self, provider: Provider) -> Provider:
        found = provider.inventories.items()
        inventories = {self.resources.get(name, name): one for name, one in found}
        return Provider(inventories, self._traits(provider.traits))

    def _portion(self, portion: Portion) -> Portion:
        return Portion(
            self._amounts(portion.needs) or {},
            self._traits(portion.traits),
            self._traits(portion.forbidden_traits),
            portion.subtree,
        )

    def _traits(self, traits: frozenset[str]) -> frozenset[str]:
        return frozenset(self.traits.get(trait, trait) for trait in traits)


_READ: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    vocabulary.HA: lambda said: vocabulary.boolean(said, vocabulary.HA),
    vocabulary.FAILBACK: lambda said: vocabulary.boolean(said, vocabulary.FAILBACK),
    vocabulary.PRIORITY: lambda said: vocabulary.priority(said, {}, False),
    vocabulary.RECOVERY: lambda said: vocabulary.recovery_policy(said, {}, False),
}


def _known(said: Mapping[str, str]) -> dict[str, str]:
    """What the rules look at; what they cannot read stays unreadable."""
    found: dict[str, str] = {}
    for key in sorted(_READ):
        spelt = vocabulary.spellings(said, key)
        if not spelt:
            continue
        try:
            _READ[key](said)
            found[key] = said[spelt[0]].strip()
        except BadValue:
            found[key] = _UNREADABLE
    return found
