# SPDX-License-Identifier: Apache-2.0
"""What is examined. What could not be had is None, and its checks are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nova_ha_scheduler.cluster.picture import Host, Picture, Server
from nova_ha_scheduler.cluster.providers import Resources
from nova_ha_scheduler.doctor.nova_conf import NovaConf
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.rules import vocabulary


@dataclass(frozen=True)
class Flavor:
    """:ivar needs: what it takes of a host, its disk aside: that may be a volume."""

    name: str
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    needs: Resources = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SeenAggregate:
    """A host aggregate, in Nova and in Placement.

    :ivar mirrored: the hosts that Placement has in it; None: nobody asked.
    """

    name: str
    uuid: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    mirrored: frozenset[str] | None = None


@dataclass(frozen=True)
class Listening:
    """What of Nova's notifications the trigger listens to."""

    topic: str
    exchange: str


@dataclass(frozen=True)
class Subject:
    """
    :ivar picture: the whole cloud, with all servers.
    :ivar live: whether the picture was taken just now, by this host's clock.
    :ivar nova: the scheduler's nova.conf, or a compute's.
    :ivar methods: the fencing method of each host in the fencing file.
    :ivar unusable: why the entry of a host there cannot be used, by host.
    :ivar broken: sentences on the devices that would not serve, by host.
    :ivar locked: sentences on volumes whose keys cannot be read, by server.
    :ivar listening: None: the trigger does not listen.
    """

    options: Options
    picture: Picture | None = None
    live: bool = False
    nova: NovaConf | None = None
    flavors: tuple[Flavor, ...] | None = None
    aggregates: tuple[SeenAggregate, ...] | None = None
    methods: Mapping[str, str] | None = None
    unusable: Mapping[str, str] | None = None
    broken: Mapping[str, str] | None = None
    locked: Mapping[str, Sequence[str]] | None = None
    listening: Listening | None = None

    @property
    def seen(self) -> Picture:
        """The picture, for checks that are asked only where there is one."""
        assert self.picture is not None
        return self.picture

    @property
    def conf(self) -> NovaConf:
        """nova.conf, likewise."""
        assert self.nova is not None
        return self.nova

    @property
    def hosts(self) -> list[Host]:
        """By name."""
        return [host for _, host in sorted(self.seen.hosts.items())]

    def tagged(self, flag: str) -> list[Host]:
        """The hosts of aggregates that say this, by name."""
        return [host for host in self.hosts if flag in host.facts.flags]

    @property
    def protected(self) -> list[Host]:
        return self.tagged(vocabulary.HA)

    @property
    def servers(self) -> list[Server]:
        """By name."""
        return sorted(self.seen.servers.values(), key=lambda s: (s.name, s.uuid))
