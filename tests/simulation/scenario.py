# SPDX-License-Identifier: Apache-2.0
"""A scenario: a directory with the cluster, the commands over time, and the log.

cluster.yaml::

    hosts:                                      # as in a cloud as text, and more:
      node1..node3: {zone: nfs-a, device: dead} # see _MACHINE_KEYS
    servers:
      web1..web2: {host: node1, priority: 900}
    options: {max_hosts: 2}                     # of the engine
    policy: {}                                  # of the scheduler plugin
    nova: {rebuild: 3}                          # of the simulated Nova

commands: one a line, ``at SECONDS VERB ARGUMENT...``; the verbs are the methods of
Script whose names begin with ``do_``. ``at SECONDS end`` ends it.
"""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.cluster.model import MoveKind
from nova_ha_scheduler.evacuation import holds
from nova_ha_scheduler.evacuation.interfaces import Verdict
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.pauses import Pause
from nova_ha_scheduler.evacuation.records import Change, Command, CommandKind, Event
from nova_ha_scheduler.rules.model import Policy, ZonelessSource
from tests.simulation.harness import QUIET, Simulation, line
from tests.simulation.machines import Machine, Nova
from tests.simulation.world import SimulatedWorld


def run(directory: Path) -> tuple[list[str], list[str]]:
    """:returns: the log, and the crimes that the world has seen."""
    script = Script(yaml.safe_load((directory / "cluster.yaml").read_text()))
    script.play((directory / "commands").read_text())
    return script.log, script.simulation.world.crimes


def build(cluster: dict[str, Any], log: list[str]) -> Simulation:
    """The simulation of a cluster; the world's lines go to the log."""
    options = _options(cluster)
    keys = {**text.HOST_KEYS, **_MACHINE_KEYS}
    hosts = text.each("hosts", cluster["hosts"], keys)
    machines = {name: _machine(name, said) for name, said in hosts}
    said = text.each("servers", cluster.get("servers", {}), text.SERVER_KEYS)
    servers = {f"uuid-{name}": text.server(name, value) for name, value in said}
    for server in servers.values():
        for what, amount in server.needs.items():
            machines[server.host].room[what] -= amount
    nova = Nova(**cluster.get("nova", {}))

    def say(words: str) -> None:
        log.append(f"{simulation.clock.time:6.0f} {words}")

    world = SimulatedWorld(machines, servers, nova, options, say)
    simulation = Simulation(world, options)
    return simulation


def _options(cluster: dict[str, Any]) -> Options:
    policy = dict(cluster.get("policy", {}))
    if "zoneless_source" in policy:
        policy["zoneless_source"] = ZonelessSource(policy["zoneless_source"])
    base = {"max_cloud_percent": 100, "max_zone_percent": 100, "max_hosts": 3}
    base["device_check_interval"] = 10**9
    return Options(**{**base, **cluster.get("options", {}), "policy": Policy(**policy)})


_MACHINE_KEYS = {"phase": int, "device": str, "witnesses": dict}
"""A host's keys beside those of a cloud as text."""


def _machine(name: str, value: dict[str, Any]) -> Machine:
    said = {key: v for key, v in value.items() if key not in _MACHINE_KEYS}
    host = text.host(name, said)
    machine = Machine(host, dict(host.capacity or {}), text.metadata(said))
    machine.phase = value.get("phase", 0)
    machine.device = value.get("device", "works")
    machine.witnesses = {n: Verdict(v) for n, v in value.get("witnesses", {}).items()}
    return machine


class Script:
    """Plays commands in a simulation and writes its log."""

    def __init__(self, cluster: dict[str, Any]) -> None:
        self.log: list[str] = []
        self.simulation = build(cluster, self.log)
        self.world = self.simulation.world
        self.simulation.journal.listen = self._hear
        self._numbers = iter(range(1, 1000))
        self._pauses: list[Pause] = []
        self._names = {s.uuid: s.name for s in self.world.servers.values()}

    def _hear(self, event: Event) -> None:
        if event.kind not in QUIET:
            self.log.append(f"{event.at:6.0f} {line(event, self._names)}")

    def play(self, commands: str) -> None:
        lines = [shlex.split(x, comments=True) for x in commands.splitlines()]
        todo = [(float(words[1]), words[2:]) for words in lines if words]
        assert all(words[0] == "at" for words in lines if words)
        assert todo == sorted(todo, key=lambda item: item[0]), "not in order of time"
        for time, words in todo:
            while self.simulation.clock.time < time:
                self.simulation.tick()
            if words != ["end"]:
                self.log.append(f"{time:6.0f} > {' '.join(words)}")
                verb = getattr(self, f"do_{words[0].replace('-', '_')}")
                verb(*words[1:])
        self._end()

    def _end(self) -> None:
        """Where everything is in the end."""
        for server in sorted(self.world.servers.values(), key=lambda s: s.name):
            state = f"{server.vm_state}{' locked' if server.locked else ''}"
            self.log.append(f"   end {server.name} {state} on {server.host}")
        for window in self.simulation.journal.state.windows.values():
            words = f": {window.sentence}" if window.reason else ""
            self.log.append(f"   end {window.id} {window.state.value}{words}")
        for recovery in self.simulation.journal.state.hosts.values():
            text = f"{recovery.state.value}"
            if recovery.reason:
                text += f": {recovery.reason.sentence(recovery.detail)}"
            self.log.append(f"   end {recovery.host} {text}")

    # What people and fate do to hosts.

    def do_power(self, what: str, host: str) -> None:
        machine = self.world.machines[host]
        if what == "off":
            self.world.cut(host)
        else:
            machine.powered = True
            machine.agent_at = self.world.time + self.world.nova.boot

    def do_agent(self, what: str, host: str) -> None:
        """nova-compute alone stops or starts."""
        machine = self.world.machines[host]
        if what == "start":
            machine.agent_at = self.world.time
        else:
            machine.agent = False

    def do_network(self, what: str, host: str) -> None:
        """The host lives, but nobody hears it."""
        self.world.machines[host].connected = what == "up"

    def do_bus(self, what: str) -> None:
        """No heartbeat at all reaches Nova's database."""
        self.world.bus_up = what == "up"

    def do_api(self, what: str) -> None:
        self.world.api_up = what == "up"

    def do_device(self, host: str, what: str) -> None:
        self.world.machines[host].device = what

    def do_slow(self, effect: str, host: str, seconds: str) -> None:
        self.simulation.delays[effect, host] = float(seconds)

    def do_queue(self, effect: str, host: str, seconds: str) -> None:
        """All threads are busy: it begins only then."""
        self.simulation.waits[effect, host] = float(seconds)

    def do_witness(self, name: str, host: str, verdict: str) -> None:
        self.world.machines[host].witnesses[name] = Verdict(verdict)

    def do_tag(self, host: str, key: str, value: str = "") -> None:
        metadata = self.world.machines[host].metadata
        metadata.pop(key, None)
        if value:
            metadata[key] = value

    def do_force_down(self, host: str) -> None:
        self.world.force_down(host)

    def do_lift(self, host: str) -> None:
        self.world.lift_force_down(host)

    def do_disable(self, host: str, reason: str = "") -> None:
        self.world.disable(host, reason)

    def do_enable(self, host: str) -> None:
        self.world.enable(host)

    def do_remove_service(self, host: str) -> None:
        del self.world.machines[host]

    def do_room(self, host: str, vcpus: str) -> None:
        self.world.machines[host].room["VCPU"] += int(vcpus)

    # What happens to servers and calls.

    def do_rebuild_takes(self, server: str, seconds: str) -> None:
        self.world.rebuild_times[server] = float(seconds)

    def do_rebuild_fails(self, server: str, times: str) -> None:
        self.world.failing[server] = int(times)

    def do_lose_request(self, server: str, times: str = "1") -> None:
        """Nova accepts its evacuation, and forgets it before its host has heard it."""
        self.world.lost_requests[server] = int(times)

    def do_reset_state(self, server: str) -> None:
        """An administrator does it."""
        self.world.reset_state(f"uuid-{server}", False)

    def do_lose_answer(self, call: str, times: str = "1") -> None:
        self.world.lost_answers[call] = int(times)

    def do_break(self, call: str, times: str = "1") -> None:
        self.world.broken_calls[call] = int(times)

    def do_missing(self, server: str, what: str = "") -> None:
        self.world.missing[server] = what

    def do_landing_lies(self, server: str) -> None:
        """Nova says done, yet the server's host stays the dead one."""
        self.world.landing_lies.add(server)

    def do_delete(self, server: str) -> None:
        del self.world.servers[f"uuid-{server}"]

    def do_boot(self, server: str, host: str) -> None:
        """A server whose boot ends only now."""
        new = text.server(server, {"host": host})
        self._names[new.uuid] = server
        self.world.servers[new.uuid] = new

    def do_task(self, server: str, state: str = "") -> None:
        uuid = f"uuid-{server}"
        old = self.world.servers[uuid]
        self.world.servers[uuid] = replace(old, task_state=state or None)

    def do_move_takes(self, server: str, seconds: str) -> None:
        self.world.moves.times[server] = float(seconds)

    def do_state(self, server: str, vm_state: str) -> None:
        """Its tenant stops it, or something breaks it."""
        self.world.set(
            f"uuid-{server}", vm_state=vm_state, running=vm_state == "active"
        )

    def do_take_flag(self, host: str) -> None:
        """Somebody takes the host out of the trigger's aggregate."""
        self.world.flag(host, False)

    def do_nova_migrate(self, server: str, destination: str, kind: str) -> None:
        """Somebody else asks Nova."""
        kinds = {"live": MoveKind.LIVE, "cold": MoveKind.COLD}
        uuid = f"uuid-{server}"
        self.world.moves.ask(kinds[kind], uuid, destination, False)

    def do_nova_evacuate(self, server: str, destination: str) -> None:
        """Somebody else asks Nova."""
        self.world._evacuate(f"uuid-{server}", destination, False)

    # Clocks.

    def do_clock(self, seconds: str) -> None:
        """The clock of the trigger's host is set, forward or back by so much."""
        self.simulation.clock.ahead += float(seconds)
        self.world.ahead += float(seconds)

    def do_clocks(self, seconds: str) -> None:
        """All clocks of the site, Nova's too."""
        self.do_clock(seconds)
        self.world.nova_ahead += float(seconds)

    # The trigger, and what people order of it.

    def do_kill(self) -> None:
        self.simulation.kill()

    def do_start(self) -> None:
        self.simulation.start()

    def do_confirm_fenced(
        self, host: str, by: str, reason: str, lasts: str = "600"
    ) -> None:
        self._order(CommandKind.CONFIRM_FENCED, host, by, reason, lasts)

    def do_evacuate(self, host: str, by: str, reason: str, lasts: str = "600") -> None:
        self._order(CommandKind.EVACUATE, host, by, reason, lasts)

    def do_abort(self, host: str, by: str, reason: str, lasts: str = "600") -> None:
        self._order(CommandKind.ABORT, host, by, reason, lasts)

    def do_retry(self, host: str, by: str, reason: str, lasts: str = "600") -> None:
        self._order(CommandKind.RETRY, host, by, reason, lasts)

    def do_pause(self, scope: str, by: str, reason: str, until: str = "") -> None:
        """The scope: a host, ``zone=NAME`` or ``all``; its numbers count from 1."""
        kind, _, zone = scope.partition("=")
        pause = Pause(
            id=f"pause-{len(self._pauses) + 1}",
            by=by,
            reason=reason,
            at=self.simulation.clock.now(),
            until=float(until) if until else None,
            host=scope if not zone and kind != "all" else None,
            zone=zone or None,
        )
        self._pauses.append(pause)
        self._write(pause, holds.begun(pause))

    def do_resume(self, number: str, by: str) -> None:
        pause = self._pauses[int(number) - 1]
        ended = replace(pause, ended_at=self.simulation.clock.now(), ended_by=by)
        self._write(ended, holds.resumed(ended))

    def _write(self, pause: Pause, event: Event) -> None:
        change = Change(pauses=(pause,), events=(event,))
        self.simulation.journal.commit(change)

    def do_maintenance_start(self, host: str, by: str, reason: str, *more: str) -> None:
        """With ``drain``, and with the time until when."""
        times = [float(word) for word in more if word != "drain"]
        until, drain = next(iter(times), None), "drain" in more
        kind = CommandKind.START_MAINTENANCE
        self._order(kind, host, by, reason, until=until, drain=drain)

    def do_maintenance_end(self, host: str, by: str, *more: str) -> None:
        """With ``force``."""
        kind = CommandKind.END_MAINTENANCE
        self._order(kind, host, by, "", force="force" in more)

    def _order(
        self,
        kind: CommandKind,
        host: str,
        by: str,
        reason: str,
        lasts: str = "600",
        **more: Any,
    ) -> None:
        now = self.simulation.clock.now()
        key = f"command-{next(self._numbers)}"
        until = now + float(lasts)
        command = Command(key, kind, host, by, reason, now, until, **more)
        self.simulation.journal.order(command)
