# SPDX-License-Identifier: Apache-2.0
"""What the simulated world is made of."""

from dataclasses import dataclass, field

from nova_ha_scheduler.cluster.model import Host
from nova_ha_scheduler.evacuation.interfaces import Verdict


@dataclass
class Machine:
    """One host: its power, its nova-compute, its fence device, its room."""

    host: Host
    room: dict[str, int]
    metadata: dict[str, str] = field(default_factory=dict)
    powered: bool = True
    agent: bool = True
    connected: bool = True
    seen_at: float = 0.0
    phase: float = 0.0
    agent_at: float | None = None
    cleanup_at: float | None = None
    device: str = "works"
    flagged: bool = False
    """Whether it is in the aggregate that the trigger makes for maintenance."""
    witnesses: dict[str, Verdict] = field(default_factory=dict)

    @property
    def beats(self) -> bool:
        return self.powered and self.agent and self.connected


@dataclass
class Evacuation:
    """One that Nova works on."""

    record: int
    server: str
    destination: str | None
    orig_state: str
    schedule_at: float
    ends_at: float | None = None
    failing: bool = False

    @property
    def at_work(self) -> bool:
        """Whether it is on its way; else it was lost before it got to its host."""
        return self.schedule_at < float("inf")


@dataclass
class Nova:
    """How this Nova is configured; all times in seconds."""

    service_down_time: float = 60
    report_interval: float = 10
    rebuild: float = 3
    schedule: float = 1
    boot: float = 30
    cleanup: float = 0
    leaves_stopped: bool = False
    """True: as microversion 2.95 and later; False: as 2.14 to 2.94."""
