# SPDX-License-Identifier: Apache-2.0
"""What the simulated world is made of."""

import functools
from dataclasses import dataclass, field

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.cluster.providers import Inventory, Provider
from nova_ha_scheduler.evacuation.interfaces import WitnessVerdict
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts
from nova_ha_scheduler.simulation.provider_counts import SimulatedProviders

NO_VALID_HOST = "No valid host was found. There are not enough hosts available"
"""As Nova says it."""

Metadata = tuple[tuple[str, str], ...]


@functools.lru_cache
def _facts(aggregates: tuple[Metadata, ...]) -> HostFacts:
    return HostFacts.of(map(dict, aggregates))


@dataclass
class Machine:
    """One host: its power, its nova-compute, its fence device, its room."""

    host: Host
    room: dict[str, int]
    aggregates: list[dict[str, str]] = field(default_factory=lambda: [{}])
    """The metadata of those that it is in."""
    powered: bool = True
    agent: bool = True
    connected: bool = True
    seen_at: float = 0.0
    phase: float = 0.0
    agent_at: float | None = None
    cleanup_at: float | None = None
    device: str = "works"
    outlet: str = ""
    """The same of its second level of fencing, which feeds it; "": it has none."""
    fed: bool = True
    """Whether that one is on."""
    flagged: bool = False
    """Whether it is in the aggregate that the trigger makes for maintenance."""
    witnesses: dict[str, WitnessVerdict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.providers = SimulatedProviders(self.host.providers)

    def has_no_room_for(self, server: Server) -> bool:
        """As Placement judges."""
        if any(self.room.get(what, 0) < n for what, n in server.needs.items()):
            return True
        if self.host.providers:
            return self.providers.refuses(server)
        room = {what: Inventory(n) for what, n in self.room.items()}
        alone = Provider(room, self.host.traits)
        return SimulatedProviders([alone]).refuses(server)

    def claim(self, server: Server) -> None:
        """It is here from now on, as Placement counts."""
        self._add(server, -1)
        if self.host.providers:
            self.providers.claim(server)

    def release(self, server: Server) -> None:
        self._add(server, 1)
        if self.host.providers:
            self.providers.release(server)

    def _add(self, server: Server, sign: int) -> None:
        for what, amount in server.needs.items():
            self.room[what] = self.room.get(what, 0) + sign * amount

    @property
    def facts(self) -> HostFacts:
        """What its aggregates say, that of the trigger among them."""
        flag = {vocabulary.MAINTENANCE: "true"} if self.flagged else {}
        said = [*self.aggregates, flag]
        return _facts(tuple(tuple(sorted(metadata.items())) for metadata in said))

    @property
    def beats(self) -> bool:
        return self.powered and self.agent and self.connected


@dataclass
class Nova:
    """How this Nova is configured; all times in seconds."""

    service_down_time: float = 60
    report_interval: float = 10
    rebuild: float = 3
    schedule: float = 1
    boot: float = 30
    cleanup: float = 0
    sync: float = 60
    """From the start of a nova-compute until it stops what does not run; 0: never."""
    leaves_stopped: bool = False
    """True: as microversion 2.95 and later; False: as 2.14 to 2.94."""
