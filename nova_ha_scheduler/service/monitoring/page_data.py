# SPDX-License-Identifier: Apache-2.0
"""The facts as the page shows them: one JSON object, of a size that is bounded.

Times are seconds since the epoch, as the browser of whoever reads them knows the zone.
"""

import json
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from nova_ha_scheduler.health.problems import Kind, Problem
from nova_ha_scheduler.printable import first_of
from nova_ha_scheduler.records.events import TROUBLES, Event
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.maintenance_window import Window
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.service.capacity_figures import (
    RESERVE_STATES,
    ZoneFigures,
)
from nova_ha_scheduler.service.monitoring.trigger_facts import TriggerFacts

SCHEMA, VERSION = "nova-ha-status", 1

_MANY = 100
"""Recoveries, problems, zones and maintenances that are listed at most."""

_NAMES = 5
"""Servers that are named for one reason at most."""

_LOG = "journalctl -u nova-ha-evacuator -n 50"
_CHECK, _STATUS = "nova-ha check", "nova-ha status"
_SHOW = "nova-ha history show {host}"

COMMANDS: Mapping[Kind, str] = {
    Kind.NO_TRIGGER: "systemctl start nova-ha-evacuator",
    Kind.ONLY_BY_HAND: "systemctl start nova-ha-evacuator",
    Kind.TRIGGER_SILENT: "systemctl restart nova-ha-evacuator",
    Kind.TRIGGER_STUCK: _LOG,
    Kind.STEP: _LOG,
    Kind.JOURNAL: _LOG,
    Kind.NOT_SEEN: _LOG,
    Kind.BLIND: "nova-ha history events",
    Kind.NOTHING_PROTECTED: "nova-ha host list",
    Kind.GUARD: "nova-ha guard reset --reason TEXT",
    Kind.PAUSED: "nova-ha resume --all",
    Kind.SETTLING: _STATUS,
    Kind.HOST_UNFENCED: "nova-ha confirm-fenced {host} --by NAME --reason TEXT",
    Kind.HOST_HELD: _SHOW,
    Kind.SERVERS_LOST: "nova-ha retry {host} --reason TEXT",
    Kind.SERVERS_WAIT: _SHOW,
    Kind.LEFT_DEAD: "nova-ha evacuate {host} --confirm-fenced --by NAME --reason TEXT",
    Kind.PAUSED_IN_PART: "nova-ha resume --all",
    Kind.MAINTENANCE_HELD: "nova-ha maintenance show {host}",
    Kind.NO_METHOD: _CHECK,
    Kind.DEVICE_BROKEN: _CHECK,
    Kind.SHUT_OUT: "openstack compute service set --enable {host} nova-compute",
    Kind.MISSPELT: _CHECK,
    Kind.TROUBLE: _LOG,
    Kind.CLOUD: _LOG,
    Kind.CLOCKS: "timedatectl",
    Kind.NO_REPORT: _LOG,
    Kind.UNREADABLE: _LOG,
}
"""What to type first about each problem; the rest stands in its sentence."""


def of(facts: TriggerFacts) -> dict[str, Any]:
    """The object."""
    state, judged = facts.state, facts.judgement
    problems = judged.problems
    hosts = [host for host in state.hosts.values() if host.ended_at is None]
    hosts.sort(key=lambda host: (host.state.traits.over, -host.started_at))
    servers = defaultdict(list)
    for server in state.servers.values():
        servers[server.recovery].append(server)
    windows = sorted(state.windows.values(), key=attrgetter("host"))
    zones = facts.capacity.zones if facts.capacity else ()
    report = facts.report
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "as_of": facts.now,
        "trigger": facts.trigger,
        "active": facts.active,
        "active_trigger": facts.holder,
        "health": {
            "code": int(judged.code),
            "state": judged.code.state,
            "line": judged.line,
        },
        "protected": report.protected if report else None,
        "left_alone": report.aside if report else None,
        "cloud_seen_at": report.seen_at if report else None,
        "recoveries": [_recovery(host, servers[host.id]) for host in hosts[:_MANY]],
        "recoveries_in_all": len(hosts),
        "problems": [_problem(problem) for problem in problems[:_MANY]],
        "problems_in_all": len(problems),
        "capacity_as_of": facts.capacity.taken_at if facts.capacity else None,
        "zones": [_zone(zone) for zone in zones[:_MANY]],
        "zones_in_all": len(zones),
        "maintenances": [_window(window) for window in windows[:_MANY]],
        "maintenances_in_all": len(windows),
        "events": [_event(number, event) for number, event in facts.newest],
    }


def text(facts: TriggerFacts) -> bytes:
    """The same as it is sent."""
    return json.dumps(of(facts)).encode("ascii")


def _problem(problem: Problem) -> dict[str, Any]:
    host = shlex.quote(problem.host or "HOST")
    return {
        "kind": problem.kind.word,
        "code": int(problem.kind.code),
        "host": problem.host or None,
        "since": problem.since,
        "what": problem.what,
        "todo": problem.todo,
        "command": COMMANDS[problem.kind].format(host=host),
    }


def _recovery(host: HostRecovery, servers: list[ServerRecovery]) -> dict[str, Any]:
    meant = [s for s in servers if not (s.state is ServerState.LEFT and s.settled)]
    return {
        "host": host.host,
        "state": host.state.value,
        "means": host.state.traits.means,
        "since": host.stages.get(host.state.value),
        "began": host.started_at,
        "proof": str(host.evidence) if host.evidence else None,
        "reason": host.sentence or None,
        "recovered": sum(s.state is ServerState.RECOVERED for s in meant),
        "servers": len(meant),
        "waits": _waits(meant),
    }


def _waits(servers: Iterable[ServerRecovery]) -> list[dict[str, Any]]:
    """What those that are not recovered wait for: who, and why, the most first."""
    found: dict[tuple[str, str], list[str]] = {}
    for server in servers:
        if server.state is not ServerState.RECOVERED:
            why = server.state.value, server.sentence
            found.setdefault(why, []).append(server.name)
    most = Counter({why: len(names) for why, names in found.items()})
    return [
        {
            "state": why[0],
            "reason": why[1] or None,
            "number": number,
            "names": first_of(sorted(found[why]), _NAMES),
        }
        for why, number in most.most_common(_NAMES)
    ]


def _zone(zone: ZoneFigures) -> dict[str, Any]:
    return {
        "zone": zone.name,
        "hosts": zone.hosts,
        "tolerated": zone.tolerated,
        "exact": zone.exact,
        "reserve": {each: len(zone.reserve.get(each, ())) for each in RESERVE_STATES},
        "left_first": zone.left_first or None,
        "problems": list(zone.problems[:_NAMES]),
    }


def _window(window: Window) -> dict[str, Any]:
    return {
        "host": window.host,
        "state": window.state.value,
        "since": window.started_at,
        "until": window.until,
        "by": window.by,
        "why": window.why,
        "held": window.sentence or None,
    }


def _event(number: int, event: Event) -> dict[str, Any]:
    return {
        "number": number,
        "at": event.at,
        "kind": event.kind.value,
        "bad": event.kind in TROUBLES,
        "host": event.host,
        "server": event.server_name,
        "source": event.source,
        "destination": event.destination,
        "how": event.how,
        "reason": event.reason,
    }
