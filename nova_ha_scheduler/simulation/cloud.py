# SPDX-License-Identifier: Apache-2.0
"""A simulated world that begins as a picture shows a cloud."""

import ast
import dataclasses
import math
import re
from collections.abc import Callable

from nova_ha_scheduler import spelling
from nova_ha_scheduler.cluster.picture import Host, Picture
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.rules.terms import HostFacts
from nova_ha_scheduler.simulation.machines import Machine, Nova
from nova_ha_scheduler.simulation.words import BadScenario
from nova_ha_scheduler.simulation.world import SimulatedWorld

_BAD = re.compile(r"\S+=(.*) is not .*", re.DOTALL)
"""vocabulary.BadValue's sentence."""


def world(
    picture: Picture, options: Options, nova: Nova, log: Callable[[str], None]
) -> SimulatedWorld:
    """Every device works, no witness says anything, and what was under way is not.

    A host whose service is down is switched off. Heartbeats come one after the other.
    """
    began = float(int(picture.taken_at))
    machines = {
        name: _machine(host, began, number % max(1, int(nova.report_interval)))
        for number, (name, host) in enumerate(sorted(picture.hosts.items()))
    }
    servers = {
        uuid: dataclasses.replace(server, kind=0)
        for uuid, server in picture.servers.items()
        if server.host in machines
    }
    return SimulatedWorld(machines, servers, nova, options, log, began)


def _machine(host: Host, began: float, phase: int) -> Machine:
    return Machine(
        dataclasses.replace(
            host, updated_at=began if host.up else host.updated_at, offers=None
        ),
        dict(host.free or {}),
        _aggregates(host.facts),
        powered=host.up,
        agent=host.up,
        seen_at=began if host.up else float("-inf"),
        phase=phase,
    )


def _aggregates(facts: HostFacts) -> list[dict[str, str]]:
    """Metadata that says the same; of each zone, an aggregate of its own."""
    said = dict.fromkeys(facts.flags, "true")
    for key, sentence in facts.bad:
        match = _BAD.fullmatch(sentence)
        said[key] = ast.literal_eval(match[1]) if match else ""
    zones = [{vocabulary.STORAGE_ZONE: zone} for zone in sorted(facts.zones)]
    return [said, *zones]


def nova(settings: list[str]) -> Nova:
    """From 'rebuild=20' and the like. :raises BadScenario: it names the setting."""
    known = {field.name: field for field in dataclasses.fields(Nova)}
    read: dict[str, float | bool] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in known:
            raise BadScenario(
                f"{name}: Nova has no such setting{spelling.hint(name, known)}"
            )
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 <= number < math.inf:
            raise BadScenario(f"{setting}: a number from 0 on is needed")
        read[name] = bool(number) if known[name].type is bool else number
    made = Nova(**read)  # type: ignore[arg-type]
    if made.report_interval < 1:
        raise BadScenario("report_interval: a number from 1 on is needed")
    return made
