# SPDX-License-Identifier: Apache-2.0
"""What a rule is asked about, and what it answers. Plain, frozen data.

A rule has two faces, which must agree: :meth:`Rule.refusal` judges one host;
:meth:`Rule.query` says the same, as far as aggregates can say it, for Placement.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.vocabulary import BadValue


class Operation(enum.Enum):
    """What Nova wants a host for; the value is the word for logs."""

    BOOT = "boot"
    UNSHELVE = "unshelve"
    EVACUATE = "evacuate"
    LIVE_MIGRATE = "live migrate"
    COLD_MIGRATE = "cold migrate"
    RESIZE = "resize"
    REBUILD = "rebuild in place"
    UNKNOWN = "move of an unknown kind"
    """The look-up failed or was ambiguous: every rule fails closed."""

    @property
    def makes_disk(self) -> bool:
        """Whether the destination makes the disk, so that there is no source."""
        return self in (Operation.BOOT, Operation.UNSHELVE)


class ZonelessSource(enum.Enum):
    """What may leave a host that is in no storage zone (an option's values)."""

    ZONELESS = "zoneless"
    NO_EVACUATION = "no-evacuation"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Policy:
    """What the operator's options say; the defaults are those of the tables."""

    live_migrate_to_reserve: bool = False
    reserve_for_ha_only: bool = False
    isolate_ha_hosts: bool = False
    exempt_volume_backed: bool = False
    zoneless_source: ZonelessSource = ZonelessSource.ZONELESS


@dataclass(frozen=True)
class HostFacts:
    """What the aggregates of one host say of it, together.

    :ivar zones: one name for a host that can be reasoned about, none for a host
        without shared storage.
    :ivar flags: the keys (``ha``, ``ha:reserved``, ``ha:maintenance``) that any of
        its aggregates sets.
    :ivar bad: (key, sentence) for what could not be read; a rule that needs that
        key says no.
    :ivar misspelt: sentences on keys that count for nothing, and may be meant to.
    """

    zones: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    bad: tuple[tuple[str, str], ...] = ()
    misspelt: tuple[str, ...] = ()

    @classmethod
    def of(cls, metadatas: Iterable[Mapping[str, str]]) -> "HostFacts":
        """Join the metadata of all aggregates of a host."""
        zones: set[str] = set()
        flags: set[str] = set()
        bad: set[tuple[str, str]] = set()
        misspelt: set[str] = set()
        for metadata in metadatas:
            for key in vocabulary.aggregate_keys(metadata):
                try:
                    if key == vocabulary.STORAGE_ZONE:
                        zones |= {vocabulary.storage_zone(metadata) or ""} - {""}
                    elif vocabulary.boolean(metadata, key):
                        flags.add(key)
                except BadValue as error:
                    bad.add((key, str(error)))
            misspelt.update(filter(None, map(vocabulary.misspelt_words, metadata)))
        return cls(
            frozenset(zones),
            frozenset(flags),
            tuple(sorted(bad)),
            tuple(sorted(misspelt)),
        )

    def bad_value(self, key: str) -> str | None:
        """The sentence about what is wrong with a key, if something is."""
        return next((text for bad_key, text in self.bad if bad_key == key), None)

    def may_be(self, flag: str) -> bool:
        """Whether the flag is set, or cannot be read: the two that fail closed."""
        return flag in self.flags or self.bad_value(flag) is not None

    @property
    def zone_words(self) -> str:
        """Where the host is, in words: 'nfs-a', 'no zone', 'several zones (a, b)'."""
        names = sorted(self.zones)
        if len(names) > 1:
            return f"several zones ({', '.join(names)})"
        return names[0] if names else "no zone"


@dataclass(frozen=True)
class Request:
    """One scheduling request, as the rules need it.

    :ivar server: the server's UUID, for messages.
    :ivar ha: the flavor's ``ha``, or the sentence that says why it is unreadable.
    :ivar source: the host that the server is on, and what is known of it; None
        for a boot, an unshelve, and a look-up that failed.
    :ivar local_disk: whether any of the server's disks lies on its host.
    :ivar disposable: whether the flavor says that that disk may be lost.
    :ivar problem: why the operation is UNKNOWN.
    """

    operation: Operation
    server: str
    ha: bool | str = False
    source: str | None = None
    source_facts: HostFacts = HostFacts()
    local_disk: bool = True
    disposable: bool = False
    problem: str = ""

    def __str__(self) -> str:
        """For logs: 'evacuate of server UUID from HOST'."""
        place = f" from {self.source}" if self.source else ""
        return f"{self.operation.value} of server {self.server}{place}"


@enum.unique
class RefusalReason(enum.Enum):
    """Why not: what is required, and how the refused host is counted."""

    OTHER_ZONE = ("zone {required} required", "in {found}")
    HOST_WITH_ZONE = ("a host in no zone required, as the source is", "in {found}")
    NO_ZONE_TO_KEEP = ("{required}", "refused")
    SOURCE_ZONE_UNKNOWN = ("the source's zone cannot be known: {required}", "refused")
    OPERATION_UNKNOWN = ("the operation cannot be known: {required}", "{found}")
    RESERVED = ("a host outside the reserve required", "reserved for failover")
    RESERVED_FOR_HA = (
        "a host outside the reserve required without ha=true",
        "reserved for the failover of ha=true servers",
    )
    NOT_HA = ("a host with ha=true required", "in no aggregate with ha=true")
    HA_ISOLATED = ("a host without ha=true required", "kept for ha=true servers")
    FLAVOR_UNREADABLE = ("a readable flavor required: {required}", "refused")
    MAINTENANCE = ("a host not under maintenance required", "under maintenance")
    BAD_METADATA = ("readable aggregate metadata required", "with {found}")
    NOT_RECOVERABLE = ("a server that can be recovered required: {required}", "refused")
    ONE_ZONE = ("a host in one storage zone required", "in {found}")
    RESERVE_DIFFERS = ("a reserve with {required} required", "in {found}")
    RESERVE_SHORT = ("room on {required} required, should the host die", "in {found}")
    RESERVE_UNKNOWN = ("knowledge of the reserve required: {required}", "refused")


@dataclass(frozen=True)
class Refusal:
    """A typed no. ``required`` and ``found`` fill the reason's sentences."""

    reason: RefusalReason
    required: str = ""
    found: str = ""

    @property
    def requirement(self) -> str:
        return self.reason.value[0].format(required=self.required)

    @property
    def finding(self) -> str:
        return self.reason.value[1].format(found=self.found)

    @property
    def brief(self) -> str:
        """For a host among others: what it is, unless that says nothing."""
        return self.finding if self.finding != "refused" else str(self)

    def __str__(self) -> str:
        return f"{self.requirement}: {self.finding}"


@dataclass(frozen=True)
class TaggedAggregate:
    """A host aggregate, as far as the Placement query needs it.

    :ivar facts: what it alone says of each of its hosts.
    """

    uuid: str
    name: str
    facts: HostFacts


def that_may_be(flag: str, aggregates: Iterable[TaggedAggregate]) -> frozenset[str]:
    """The UUIDs of the aggregates whose hosts have the flag, or may have it."""
    return frozenset(a.uuid for a in aggregates if a.facts.may_be(flag))


@dataclass(frozen=True)
class AggregateQuery:
    """What to ask of Placement: aggregates by UUID.

    ``required``: each host is in at least one of them; None: no such condition.
    ``forbidden``: each host is in none of them. ``requirement`` says why.

    It is never stricter than the verdicts are, so that Placement hides no host
    that the filters would pass. It may be laxer: the filters decide.
    """

    requirement: str = ""
    required: frozenset[str] | None = None
    forbidden: frozenset[str] = frozenset()


class Rule(Protocol):
    """One rule: a pure function of the request, the host and the policy."""

    def concerns(self, request: Request, policy: Policy) -> bool:
        """False if no host at all can be refused: the cheap way out."""

    def refusal(
        self, request: Request, host: HostFacts, stays: bool, policy: Policy
    ) -> Refusal | None:
        """Judge one host; ``stays``: it is the host that the server is on."""

    def query(
        self, request: Request, aggregates: Sequence[TaggedAggregate], policy: Policy
    ) -> AggregateQuery:
        """The same, for Placement."""
