# SPDX-License-Identifier: Apache-2.0
"""A scenario: a directory with the cluster, the commands over time, and the log.

cluster.yaml::

    like: four-hosts-one-server                 # what clusters/ has under that name
    hosts:                                      # as in a cloud as text, and more:
      node1..node3: {zone: nfs-a, device: dead} # see _MACHINE_KEYS
    servers:
      web1..web2: {host: node1, priority: 900}
    options: {max_hosts: 2}                     # of the engine
    policy: {}                                  # of the scheduler plugin
    nova: {rebuild: 3}                          # of the simulated Nova

commands: see nova_ha_scheduler/simulation/script.py.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from nova_ha_scheduler import codec
from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.evacuation import engine
from nova_ha_scheduler.evacuation.decisions import Decision
from nova_ha_scheduler.evacuation.interfaces import WitnessVerdict
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.records.events import Event
from nova_ha_scheduler.rules.terms import Policy, ZonelessSource
from nova_ha_scheduler.simulation import script
from nova_ha_scheduler.simulation.machines import Machine, Nova
from nova_ha_scheduler.simulation.runner import Simulation
from nova_ha_scheduler.simulation.world import SimulatedWorld

_LONG_AGO = -86400.0
"""When Nova has last written the records of servers, in virtual seconds."""

CLUSTERS = Path(__file__).parents[2] / "scenarios" / "clusters"


def run(directory: Path) -> tuple[list[str], list[str]]:
    """:returns: the log, and the breaches that the world has seen."""
    played = Script(load((directory / "cluster.yaml").read_text()))
    played.run((directory / "commands").read_text())
    return played.log, played.world.breaches


def load(text: str) -> dict[str, Any]:
    """A cluster, with what it shares with others."""
    said: dict[str, Any] = yaml.safe_load(text)
    if shared := said.pop("like", None):
        said = {**yaml.safe_load((CLUSTERS / f"{shared}.yaml").read_text()), **said}
    return said


def build(cluster: dict[str, Any], log: list[str]) -> Simulation:
    """The simulation of a cluster; the world's lines go to the log."""
    options = _options(cluster)
    keys = {**text.HOST_KEYS, **_MACHINE_KEYS}
    hosts = text.each("hosts", cluster["hosts"], keys)
    machines = {name: _machine(name, said) for name, said in hosts}
    said = text.each("servers", cluster.get("servers", {}), text.SERVER_KEYS)
    servers = {
        f"uuid-{name}": replace(text.server(name, value), changed_at=_LONG_AGO)
        for name, value in said
    }
    for server in servers.values():
        machines[server.host].claim(server)
    nova = Nova(**cluster.get("nova", {}))

    def say(words: str) -> None:
        log.append(f"{simulation.clock.time:6.0f} {words}")

    world = SimulatedWorld(machines, servers, nova, options, say)
    simulation = Simulation(world, options, keep=replayed)
    return simulation


def replayed(decision: Decision) -> None:
    """What is kept of a decision is enough to make it again."""
    kept: Decision = codec.typed(
        Decision, json.loads(json.dumps(codec.plain(decision)))
    )
    assert kept == decision
    assert engine.again(kept) == decision.change


def _options(cluster: dict[str, Any]) -> Options:
    policy = dict(cluster.get("policy", {}))
    if "zoneless_source" in policy:
        policy["zoneless_source"] = ZonelessSource(policy["zoneless_source"])
    base = {"max_cloud_percent": 100, "max_zone_percent": 100, "max_hosts": 3}
    base["device_check_interval"] = 10**9
    base["reboot_looks"] = base["off_time"] = 0
    hosts = cluster["hosts"].values()
    base["witnesses"] = any((host or {}).get("witnesses") for host in hosts)
    return Options(**{**base, **cluster.get("options", {}), "policy": Policy(**policy)})


_MACHINE_KEYS = {"phase": int, "device": str, "outlet": str, "witnesses": dict}
"""A host's keys beside those of a cloud as text."""


def _machine(name: str, value: dict[str, Any]) -> Machine:
    said = {key: v for key, v in value.items() if key not in _MACHINE_KEYS}
    host = text.host(name, said)
    machine = Machine(host, dict(host.capacity or {}), [text.metadata(said)])
    machine.phase = value.get("phase", 0)
    machine.device = value.get("device", "works")
    machine.outlet = value.get("outlet", "")
    machine.witnesses = {
        n: WitnessVerdict(v) for n, v in value.get("witnesses", {}).items()
    }
    return machine


class Script(script.Script):
    """Writes its log, and where everything is in the end."""

    def __init__(self, cluster: dict[str, Any]) -> None:
        self.log: list[str] = []
        super().__init__(build(cluster, self.log), self._line)

    def _line(self, at: float, words: str) -> None:
        self.log.append(f"{at:6.0f} {words}")

    def _time_of(self, event: Event) -> float:
        return event.at

    def run(self, commands: str) -> None:
        self.play(self.read(commands))
        for server in sorted(self.world.servers.values(), key=lambda s: s.name):
            state = f"{server.vm_state}{' locked' if server.locked else ''}"
            self.log.append(f"   end {server.name} {state} on {server.host}")
        for window in self.simulation.journal.state.windows.values():
            words = f": {window.sentence}" if window.reason else ""
            self.log.append(f"   end {window.id} {window.state.value}{words}")
        for recovery in self.simulation.journal.state.hosts.values():
            text = f"{recovery.state.value}"
            if recovery.reason:
                text += f": {recovery.sentence}"
            self.log.append(f"   end {recovery.host} {text}")
