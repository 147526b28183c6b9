# SPDX-License-Identifier: Apache-2.0
"""What Placement is asked for servers that have to move: one question for each kind,
whatever the number of servers and of hosts.

Servers are of one kind if they need and require the same, and are bound to the same
storage zone. What they need is what Nova will ask for: the flavor's and the image's
(:mod:`.requirements`), that of their ports, and what no flavor tells but one server's
own allocations (PCI devices). The zone narrows the question by its aggregates, which
Nova mirrors to Placement, as the scheduler plugin's pre-filter does.

Placement's answer holds for one server at a time: what several take of it together is
counted in :mod:`nova_ha_scheduler.planner.room`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nova_ha_scheduler.cluster.errors import AnswerTooLarge
from nova_ha_scheduler.cluster.openstack import fields, lists, placement, tags
from nova_ha_scheduler.cluster.openstack.lists import Lists
from nova_ha_scheduler.cluster.openstack.placement import Tree
from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.cluster.providers import Portion, Resources
from nova_ha_scheduler.rules import storage_zone, vocabulary
from nova_ha_scheduler.rules.terms import (
    AggregateQuery,
    HostFacts,
    Operation,
    Policy,
    Request,
    TaggedAggregate,
)

_MOST_AGGREGATES = 150
"""In one question: web servers cut an address off near 8 KiB."""

_NAME = re.compile(r"[A-Z0-9_]{1,255}")
"""Of a trait, or of a resource class."""

_DEVICES = "pci_passthrough:alias"
"""The extra spec whose meaning stands in nova.conf alone."""

_MOST_DEVICES = 16
"""More of one class on one provider are no devices, each of which may be another's."""

Together = Callable[..., list[Any]]
"""Answers several questions at once."""


@dataclass(frozen=True)
class ServerKind:
    """:ivar within: the aggregates of the zone; :ivar devices: what the flavor says."""

    needs: tuple[tuple[str, int], ...]
    portions: tuple[Portion, ...]
    isolated: bool
    traits: frozenset[str]
    forbidden: frozenset[str]
    within: AggregateQuery = AggregateQuery()
    devices: str = ""

    @classmethod
    def of(cls, server: Server, within: AggregateQuery) -> "ServerKind":
        return cls(
            tuple(sorted(server.needs.items())),
            server.portions,
            server.isolated,
            server.traits,
            server.forbidden_traits,
            within,
            server.extra_specs.get(_DEVICES, ""),
        )

    def refined(self, allocated: Mapping[str, Resources], node: str) -> "ServerKind":
        """The same, as it is allocated.

        :param allocated: by provider, of the tree of the host alone. Where the compute
            node is not among them, the flavor is believed.
        """
        if node not in allocated:
            return self
        in_portions = placement.added(one.needs for one in self.portions)
        there = placement.added(allocated.values())
        needs = {k: n for k, n in self.needs if k in there or k in in_portions}
        portions = list(self.portions)
        for provider, amounts in sorted(allocated.items()):
            more = {k: n for k, n in amounts.items() if k not in dict(self.needs)}
            if provider != node:
                portions += _devices(more)
        needs |= {k: n for k, n in there.items() if k not in in_portions}
        return replace(
            self, needs=tuple(sorted(needs.items())), portions=tuple(portions)
        )

    def applied(self, server: Server, number: int = 0) -> Server:
        """A server of this kind.

        :param number: under which Placement was asked.
        """
        needs = dict(self.needs)
        return replace(server, needs=needs, portions=self.portions, kind=number)

    def question(self) -> dict[str, Any]:
        """As the parameters of a request for allocation candidates."""
        rest = dict(self.needs)
        asked: dict[str, Any] = {}
        subtrees: dict[str, list[str]] = {}
        for number, portion in enumerate(self.portions, 1):
            suffix = f"_{number}"
            for what, amount in portion.needs.items():
                rest[what] = rest.get(what, 0) - amount
            asked |= _group(
                portion.needs, portion.traits, portion.forbidden_traits, suffix
            )
            if portion.subtree:
                subtrees.setdefault(portion.subtree, []).append(suffix)
        rest = {what: n for what, n in rest.items() if n > 0}
        asked |= _group(rest, self.traits, self.forbidden)
        if self.portions:
            # For one portion too, where the policy says nothing: without the word,
            # Placement adds up wrongly what a class has inside and outside of it
            # (ResearchContext.copy_arr_if_needed), depending on its hash seed.
            asked["group_policy"] = "isolate" if self.isolated else "none"
        if several := [",".join(some) for some in subtrees.values() if len(some) > 1]:
            asked["same_subtree"] = several
        return asked | self._place

    @property
    def askable(self) -> bool:
        """Whether Placement can know such names: an image's are its owner's."""
        names = {name for name, _ in self.needs} | self.traits | self.forbidden
        for portion in self.portions:
            names |= {*portion.needs, *portion.traits, *portion.forbidden_traits}
        return all(map(_NAME.fullmatch, names))

    @property
    def _place(self) -> dict[str, str]:
        if self.within.required:
            return {"member_of": f"in:{','.join(sorted(self.within.required))}"}
        if self.within.forbidden:
            return {"member_of": f"!in:{','.join(sorted(self.within.forbidden))}"}
        return {}

    def parts(self) -> list["ServerKind"]:
        """Each amount as a kind of its own, to learn which one is wanting."""
        bare = ServerKind((), (), False, frozenset(), frozenset(), self.within)
        return [replace(bare, needs=((what, n),)) for what, n in self.needs]


def _group(
    needs: Resources,
    traits: frozenset[str],
    forbidden: frozenset[str],
    suffix: str = "",
) -> dict[str, str]:
    if not needs:
        return {}
    said = (f"{what}:{amount}" for what, amount in sorted(needs.items()))
    found = {f"resources{suffix}": ",".join(said)}
    if words := [*sorted(traits), *(f"!{trait}" for trait in sorted(forbidden))]:
        found[f"required{suffix}"] = ",".join(words)
    return found


def _devices(more: Resources) -> list[Portion]:
    """What no flavor and no port tells of is Nova's PCI devices: each is asked for
    alone (nova.objects.request_spec.generate_request_groups_from_pci_requests)."""
    found: list[Portion] = []
    for what, amount in sorted(more.items()):
        each = 1 if amount <= _MOST_DEVICES else amount
        found += [Portion({what: each})] * (amount // each)
    return found


def tagged(aggregates: Sequence[Any]) -> tuple[TaggedAggregate, ...] | None:
    """All of them; None: one cannot be read, and may be that of any zone."""
    found = []
    for raw in aggregates:
        said = tags.read(raw)
        try:
            uuid = fields.identity(fields.fields(raw), "uuid")
        except fields.BadAnswer:
            return None
        if said.why:
            return None
        facts = HostFacts.of([said.metadata])
        found.append(TaggedAggregate(uuid, said.name, facts))
    return tuple(found)


@dataclass(frozen=True)
class Bounds:
    """Where the rule of storage zones lets servers go.

    :ivar aggregates, policy: None: they are not known, so that nothing is left out.
    """

    hosts: Mapping[str, Host]
    aggregates: Sequence[TaggedAggregate] | None
    policy: Policy | None
    known: dict[Request, AggregateQuery] = field(default_factory=dict, init=False)

    def of(self, server: Server) -> AggregateQuery:
        """In Placement's words; none: anywhere."""
        source = self.hosts.get(server.host)
        if source is None or self.aggregates is None or self.policy is None:
            return AggregateQuery()
        asked = Request(
            Operation.EVACUATE,
            "",
            source=source.name,
            source_facts=source.facts,
            local_disk=server.local_disk,
            disposable=vocabulary.disposable(server.extra_specs),
        )
        if asked not in self.known:
            query = storage_zone.query(asked, self.aggregates, self.policy)
            many = len(query.required or query.forbidden) > _MOST_AGGREGATES
            self.known[asked] = AggregateQuery() if many else query
        return self.known[asked]

    def usable(self, server: Server, dead: Collection[str]) -> frozenset[str]:
        """The hosts of its zone, or all if it has none, that are up and enabled."""
        source = self.hosts.get(server.host)
        bound = source is not None and self.of(server) != AggregateQuery()
        zones = source.facts.zones if source and bound else frozenset()
        return frozenset(
            host.name
            for host in self.hosts.values()
            if host.up and not host.disabled and host.name not in {server.host, *dead}
            if not zones or host.facts.zones == zones
        )


@dataclass(frozen=True)
class _Answer:
    """:ivar trees: what Placement offers; None: it was not asked for all of it.
    :ivar seen: what else it has shown."""

    kind: ServerKind
    trees: Mapping[str, Tree] | None
    seen: Mapping[str, Tree]


class Asking:
    """The questions for one picture.

    :ivar trees: what was shown, by compute node.
    """

    def __init__(
        self,
        asked: Lists,
        together: Together,
        nodes: Mapping[str, str],
        known: dict[ServerKind, ServerKind] | None = None,
    ) -> None:
        """
        :param nodes: the service host of each compute node.
        :param known: kinds as they are allocated, by what is told without that; gets
            what is learned.
        """
        self._lists, self._together, self._nodes = asked, together, nodes
        self._known = {} if known is None else known
        self.trees: dict[str, Tree] = {}
        self._full: set[str] = set()
        self._sums = False  # whether it is known what every host has

    def ask(
        self,
        servers: Iterable[Server],
        bounds: Bounds,
        dead: Collection[str] = (),
        thorough: bool = False,
    ) -> tuple[dict[str, Server], dict[str, Host]]:
        """The servers with what they need, and the hosts with what they offer.

        :param dead: hosts that are no destinations.
        :param thorough: ask of each host that is not offered what it lacks; else, only
            if no other is.
        """
        alike: dict[ServerKind, list[Server]] = {}
        for server in servers:
            alike.setdefault(ServerKind.of(server, bounds.of(server)), []).append(
                server
            )
        answers: list[_Answer] = self._together(
            *(
                partial(
                    self._answer, kind, some[0], bounds.usable(some[0], dead), thorough
                )
                for kind, some in alike.items()
            )
        )
        hosts = bounds.hosts
        found: dict[str, Server] = {}
        offers: dict[str, set[int]] = {name: set() for name in hosts}
        for number, (some, answer) in enumerate(
            zip(alike.values(), answers, strict=True), 1
        ):
            self.trees |= answer.seen
            for node in answer.trees or ():
                offers.get(self._nodes.get(node, ""), set()).add(number)
            asked = 0 if answer.trees is None else number
            found |= {s.uuid: answer.kind.applied(s, asked) for s in some}
        shown = {
            n: replace(host, offers=frozenset(offers[n])) for n, host in hosts.items()
        }
        return found, lists.with_trees(shown, self._nodes, self.trees, self._full)

    def _answer(
        self, kind: ServerKind, server: Server, usable: frozenset[str], thorough: bool
    ) -> _Answer:
        kind = self._allocated(kind, server)
        if not kind.askable:
            return _Answer(kind, {}, {})
        try:
            offered = self._lists.candidates(kind.question())
        except AnswerTooLarge:
            # As it is put together from many devices; the host alone is asked for.
            bare = replace(kind, portions=(), needs=_without_portions(kind))
            return _Answer(kind, None, self._lists.candidates(bare.question()))
        if not usable & self._hosts(offered) and kind.within != AggregateQuery():
            # The zone's aggregates may have no mirror in Placement.
            anywhere = replace(kind, within=AggregateQuery())
            offered = self._lists.candidates(anywhere.question())
        seen: dict[str, Tree] = {}
        there = self._hosts(offered)
        wanting = not usable & there or (thorough and not usable <= there)
        if wanting and not self._sums:
            for part in kind.parts():
                seen |= self._lists.candidates(part.question())
            self._full |= usable - there - self._hosts(seen)
        return _Answer(kind, offered, seen | offered)

    def _hosts(self, trees: Mapping[str, Tree]) -> frozenset[str]:
        return frozenset(self._nodes[node] for node in trees if node in self._nodes)

    def _allocated(self, kind: ServerKind, server: Server) -> ServerKind:
        if kind in self._known:
            return self._known[kind]
        found = self._lists.allocations(server.uuid)
        node = next((n for n, host in self._nodes.items() if host == server.host), "")
        if found.keys() - {node}:
            tree = self._lists.tree(node) if node else frozenset()
            found = {uuid: some for uuid, some in found.items() if uuid in tree}
        if node not in found:
            return kind
        self._known[kind] = kind.refined(found, node)
        return self._known[kind]


def _without_portions(kind: ServerKind) -> tuple[tuple[str, int], ...]:
    inside = placement.added(portion.needs for portion in kind.portions)
    rest = ((what, n - inside.get(what, 0)) for what, n in kind.needs)
    return tuple((what, n) for what, n in rest if n > 0)
