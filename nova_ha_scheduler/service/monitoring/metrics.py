# SPDX-License-Identifier: Apache-2.0
"""The facts as Prometheus reads them.

No server is ever a label, and a host is one only for as long as it is there. A family
is written anew when it has changed, and in one pass: of ten thousand fence devices, one
may, and prometheus_client takes ten times as long for each line, in which the loop
would want the interpreter, too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import generate_latest

from nova_ha_scheduler.health.problems import Kind
from nova_ha_scheduler.records.host_recovery import HostState
from nova_ha_scheduler.records.server_recovery import ServerState
from nova_ha_scheduler.service.capacity_figures import RESERVE_STATES
from nova_ha_scheduler.service.monitoring.counts import Counts
from nova_ha_scheduler.service.monitoring.trigger_facts import TriggerFacts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Values = Mapping[tuple[str, ...], float]
"""By the values of the labels."""

_ENDED = (HostState.CLOSED,)

HELPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "nova_ha_active": (
        "1 if this trigger is the active one. In sum, over all triggers, it has to be "
        "1.",
        (),
    ),
    "nova_ha_alive": (
        "1 if the loop of this trigger goes on; 0: it is stuck, or each step breaks.",
        (),
    ),
    "nova_ha_health": (
        "What nova-ha health ends with: 0 protected, 1 degraded, 2 not protecting, 3 "
        "cannot tell.",
        (),
    ),
    "nova_ha_last_look_timestamp_seconds": (
        "Of when the newest picture of the cloud is; of the active trigger alone.",
        (),
    ),
    "nova_ha_trouble": (
        "How many problems of a kind there are (docs/health.md).",
        ("kind",),
    ),
    "nova_ha_host_trouble": (
        "1 for each host that has a problem, by its kind.",
        ("host", "kind"),
    ),
    "nova_ha_protected_hosts": ("Hosts that the trigger answers for.", ()),
    "nova_ha_hosts_left_alone": (
        "Hosts that are tagged and left alone: under maintenance, or disabled by "
        "somebody.",
        (),
    ),
    "nova_ha_hosts": ("Hosts whose recovery is open, by its state.", ("state",)),
    "nova_ha_servers": (
        "Servers of recoveries that are open, by state. left_as_intended: they were "
        "never to be recovered, or need it no more.",
        ("state",),
    ),
    "nova_ha_maintenances": ("Maintenances that are not over.", ()),
    "nova_ha_fence_device_up": (
        "Whether the fence device of a protected host served when it was asked last.",
        ("host",),
    ),
    "nova_ha_guard_tripped": (
        "1 while the guard lets nothing be fenced: too many hosts at once.",
        (),
    ),
    "nova_ha_pauses": ("Pauses in force: of hosts, of zones, or of everything.", ()),
    "nova_ha_zone_failures_tolerated": (
        "How many hosts of a storage zone may die together, whichever they are, with "
        "room for all their servers.",
        ("zone",),
    ),
    "nova_ha_zone_reserve_hosts": (
        "Hosts of a zone's reserve: free, in_use, down, or unusable for another "
        "reason.",
        ("zone", "state"),
    ),
    "nova_ha_capacity_timestamp_seconds": (
        "Of when the figures of the zones are.",
        (),
    ),
    "nova_ha_admission_timestamp_seconds": (
        "Of when what admission goes by is, where this trigger publishes it.",
        (),
    ),
    "nova_ha_admission_max_age_seconds": (
        "For how long nova-scheduler goes by it ([ha_scheduler] admission_max_age).",
        (),
    ),
    "nova_ha_outbox_pending": (
        "Events of the history that wait to be sent, by receiver; notifications: those "
        "that go to the message bus.",
        ("receiver",),
    ),
}
"""Of each gauge, what it says and the names of its labels."""


class Text:
    """Keeps what was written of each family."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[Values, bytes]] = {}
        self._devices: tuple[Mapping[str, bool], Values] = {}, {}

    def of(self, facts: TriggerFacts, counts: Counts) -> bytes:
        """All of it, as it is sent."""
        if facts.devices is not self._devices[0]:
            found: Values = {(host,): float(up) for host, up in facts.devices.items()}
            self._devices = facts.devices, found
        gauges = {**dict(_gauges(facts)), "nova_ha_fence_device_up": self._devices[1]}
        parts = [self._part(name, gauges[name]) for name in HELPS]
        return b"".join([*parts, generate_latest(counts.registry)])

    def _part(self, name: str, found: Values) -> bytes:
        before = self._written.get(name)
        if before is None or not (before[0] is found or before[0] == found):
            before = self._written[name] = found, _written(name, found)
        return before[1]


def _written(name: str, values: Values) -> bytes:
    """A gauge in Prometheus' text format."""
    words, labels = HELPS[name]
    lines = [f"# HELP {name} {words}\n# TYPE {name} gauge\n"]
    for found, value in sorted(values.items()):
        pairs = ",".join(
            f'{label}="{_quoted(said)}"'
            for label, said in zip(labels, found, strict=True)
        )
        part = f"{{{pairs}}}" if pairs else ""
        lines.append(f"{name}{part} {float(value)!r}\n")
    return "".join(lines).encode("utf-8", "replace")


def _quoted(said: str) -> str:
    if "\\" in said or '"' in said or "\n" in said:  # names seldom have them
        return said.translate(_ESCAPES)
    return said


_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def _gauges(facts: TriggerFacts) -> Iterator[tuple[str, Values]]:
    """All but the devices; what is not known has no value."""
    state, report, now = facts.state, facts.report, facts.now
    problems = facts.judgement.problems
    yield "nova_ha_active", _one(facts.active)
    yield "nova_ha_alive", _one(facts.alive)
    yield "nova_ha_health", _one(int(facts.judgement.code))
    seen_at = report.seen_at if facts.active and report else None
    yield "nova_ha_last_look_timestamp_seconds", _known(seen_at)
    kinds = Counter(problem.kind for problem in problems)
    yield "nova_ha_trouble", {(kind.word,): kinds[kind] for kind in Kind}
    hosts: Values = {(p.host, p.kind.word): 1.0 for p in problems if p.host}
    yield "nova_ha_host_trouble", hosts
    yield "nova_ha_protected_hosts", _known(report.protected if report else None)
    yield "nova_ha_hosts_left_alone", _known(report.aside if report else None)
    open_ = Counter(h.state for h in state.hosts.values() if h.ended_at is None)
    states = [each for each in HostState if each not in _ENDED]
    yield "nova_ha_hosts", {(each.value,): open_[each] for each in states}
    yield "nova_ha_servers", _servers(facts)
    yield "nova_ha_maintenances", _one(len(state.windows))
    until = state.guard.tripped_until
    yield "nova_ha_guard_tripped", _one(until is not None and now < until)
    held = [pause for pause in state.pauses.values() if not pause.is_over(now)]
    yield "nova_ha_pauses", _one(len(held))
    yield from _of_capacity(facts)
    published = facts.admission
    taken_at = published.taken_at if published else None
    yield "nova_ha_admission_timestamp_seconds", _known(taken_at)
    max_age = published.max_age if published else None
    yield "nova_ha_admission_max_age_seconds", _known(max_age)
    pending: Values = {(name,): float(n) for name, n in facts.pending.items()}
    yield "nova_ha_outbox_pending", pending


def _servers(facts: TriggerFacts) -> Values:
    servers = facts.state.servers.values()
    intended = [s for s in servers if s.state.final and s.settled]
    intended = [s for s in intended if s.state is not ServerState.RECOVERED]
    found = Counter(server.state for server in servers)
    found.subtract(server.state for server in intended)
    values: dict[tuple[str, ...], float] = {(s.value,): found[s] for s in ServerState}
    return {**values, ("left_as_intended",): len(intended)}


def _of_capacity(facts: TriggerFacts) -> Iterator[tuple[str, Values]]:
    zones = facts.capacity.zones if facts.capacity else ()
    # Where nobody can die, nothing is tolerated, and nothing is wrong.
    mortal = [zone for zone in zones if zone.hosts]
    tolerated: Values = {(zone.name,): float(zone.tolerated) for zone in mortal}
    yield "nova_ha_zone_failures_tolerated", tolerated
    reserve: Values = {
        (zone.name, state): float(len(zone.reserve.get(state, ())))
        for zone in zones
        for state in RESERVE_STATES
    }
    yield "nova_ha_zone_reserve_hosts", reserve
    taken_at = facts.capacity.taken_at if facts.capacity else None
    yield "nova_ha_capacity_timestamp_seconds", _known(taken_at)


def _one(value: float) -> Values:
    return {(): float(value)}


def _known(value: float | None) -> Values:
    return {} if value is None else _one(value)
