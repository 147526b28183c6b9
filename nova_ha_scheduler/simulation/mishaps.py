# SPDX-License-Identifier: Apache-2.0
"""The verbs of a scenario for what happens to hosts, servers and calls."""

from dataclasses import replace
from typing import Literal

from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.cluster.picture import MoveKind
from nova_ha_scheduler.evacuation.interfaces import WitnessVerdict
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.simulation.owners import Request
from nova_ha_scheduler.simulation.runner import Simulation
from nova_ha_scheduler.simulation.words import (
    Call,
    HostName,
    NewServer,
    Seconds,
    ServerId,
)

UpDown = Literal["up", "down"]
Device = Literal["works", "unreachable", "deaf", "lies"]


class MishapVerbs:
    """:ivar names: of servers, by uuid."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation, self.world = simulation, simulation.world
        self.names = {s.uuid: s.name for s in self.world.servers.values()}

    # Hosts.

    def do_power(self, what: Literal["on", "off"], host: HostName) -> None:
        """A host's power goes, or comes back, and with it nova-compute."""
        machine = self.world.machines[host]
        if what == "off":
            self.world.cut(host)
        else:
            machine.powered = machine.fed = True
            machine.agent_at = self.world.time + self.world.nova.boot

    def do_agent(self, what: Literal["start", "stop"], host: HostName) -> None:
        """nova-compute alone stops or starts."""
        machine = self.world.machines[host]
        if what == "start":
            machine.agent_at = self.world.time
        else:
            machine.agent = False

    def do_network(self, what: UpDown, host: HostName) -> None:
        """The host lives, but nobody hears it."""
        self.world.machines[host].connected = what == "up"

    def do_bus(self, what: UpDown) -> None:
        """No heartbeat at all reaches Nova's database."""
        self.world.bus_up = what == "up"

    def do_api(self, what: UpDown) -> None:
        """Nova's API answers nobody."""
        self.world.api_up = what == "up"

    def do_omit(self, times: int = 1) -> None:
        """So many looks show neither servers nor records, and no error: for a moment
        Nova's cell does not answer, and its lists leave that out."""
        self.world.omissions = times

    def do_device(self, host: HostName, what: Device) -> None:
        """Its fence device does not answer, does not obey, or says off of a host that
        is on."""
        self.world.machines[host].device = what

    def do_outlet(self, host: HostName, what: Device) -> None:
        """The same of the outlet that feeds it, its second level of fencing."""
        self.world.machines[host].outlet = what

    def do_slow(self, effect: Effect, host: HostName, seconds: Seconds) -> None:
        """An effect on a host takes so long."""
        self.simulation.delays[effect.value, host] = seconds

    def do_queue(self, effect: Effect, host: HostName, seconds: Seconds) -> None:
        """All threads are busy: it begins only then."""
        self.simulation.waits[effect.value, host] = seconds

    def do_witness(self, name: str, host: HostName, verdict: WitnessVerdict) -> None:
        """What a witness says of the host from now on."""
        self.world.machines[host].witnesses[name] = verdict

    def do_tag(self, host: HostName, key: str, value: str = "") -> None:
        """Metadata of the host's aggregates; without a value, it goes."""
        aggregates = self.world.machines[host].aggregates
        for metadata in aggregates:
            metadata.pop(key, None)
        if value:
            aggregates[0][key] = value

    def do_force_down(self, host: HostName) -> None:
        """Somebody tells Nova that the host is down."""
        self.world.force_down(host)

    def do_lift(self, host: HostName) -> None:
        """Somebody takes that back."""
        self.world.lift_force_down(host)

    def do_disable(self, host: HostName, reason: str = "") -> None:
        """Somebody disables the compute service."""
        self.world.disable(host, reason)

    def do_enable(self, host: HostName) -> None:
        """Somebody enables it."""
        self.world.enable(host)

    def do_remove_service(self, host: HostName) -> None:
        """Somebody deletes the compute service."""
        del self.world.machines[host]

    def do_room(self, host: HostName, amount: int, resource: str = "VCPU") -> None:
        """So much more room on the host, or less, of a resource class."""
        room = self.world.machines[host].room
        room[resource] = room.get(resource, 0) + amount

    def do_take_flag(self, host: HostName) -> None:
        """Somebody takes the host out of the trigger's aggregate for maintenance."""
        self.world.flag(host, False)

    # Servers and calls.

    def do_rebuild_takes(self, server: ServerId, seconds: Seconds) -> None:
        """How long an evacuation of it takes on its host."""
        self.world.rebuild_times[self.names[server]] = seconds

    def do_rebuild_fails(self, server: ServerId, times: int) -> None:
        """So many evacuations or moves of it fail."""
        self.world.failing[self.names[server]] = times

    def do_rebuild_breaks(self, server: ServerId, why: str = "") -> None:
        """The next evacuation of it fails when its host has it, and runs it; "": nobody
        says why."""
        self.do_rebuild_fails(server, 1)
        self.world.breaking[self.names[server]] = why

    def do_move_takes(self, server: ServerId, seconds: Seconds) -> None:
        """How long a migration of it takes."""
        self.world.moves.times[self.names[server]] = seconds

    def do_move_gives_up(self, server: ServerId, seconds: Seconds) -> None:
        """Each live migration of it is given up after so long, and Nova shows it in
        error, though it runs."""
        self.world.moves.gives_up[self.names[server]] = seconds

    def do_stop_takes(self, server: ServerId, seconds: Seconds) -> None:
        """How long it takes to stop it."""
        self.world.guests.stop_times[self.names[server]] = seconds

    def do_lose_request(self, server: ServerId, times: int = 1) -> None:
        """Nova accepts its evacuation, and forgets it before its host has heard it."""
        self.world.lost_requests[self.names[server]] = times

    def do_conductor_fails(self, server: ServerId, times: int = 1) -> None:
        """Nova accepts its evacuation, and its conductor gives that up, as neutron does
        not answer: its record never has an end."""
        self.world.conductor_fails[self.names[server]] = times

    def do_give_up_request(self, server: ServerId, times: int = 1) -> None:
        """Its destination takes the request, and takes the task state away, as a
        conductor does not answer: its record never has an end."""
        self.world.giving_up[self.names[server]] = times

    def do_lose_answer(self, call: Call, times: int = 1) -> None:
        """The next such calls work, but nobody hears of it."""
        self.world.lost_answers[call] = times

    def do_break(self, call: Call, times: int = 1) -> None:
        """The next such calls end in an error 500."""
        self.world.broken_calls[call] = times

    def do_refuse(self, call: Call, times: int = 1) -> None:
        """The next such calls are refused, as Nova's policy may."""
        self.world.refused_calls[call] = times

    def do_hold_up_request(self, server: ServerId, seconds: Seconds) -> None:
        """Nova accepts the next evacuation, and its destination is busy for so long."""
        self.world.held_up[self.names[server]] = seconds

    def do_reset_state(self, server: ServerId) -> None:
        """An administrator does it."""
        self.world.reset_state(server, False)

    def do_missing(self, server: ServerId, what: str = "") -> None:
        """It lands without this, a port or a volume."""
        self.world.missing[self.names[server]] = what

    def do_landing_lies(self, server: ServerId) -> None:
        """Nova says done, yet the server's host stays the dead one."""
        self.world.landing_lies.add(self.names[server])

    def do_landing_untold(self, server: ServerId) -> None:
        """It lands, and the record of its evacuation never has an end."""
        self.world.landing_untold.add(self.names[server])

    def do_unreadable(self, server: ServerId, why: str = "") -> None:
        """What Nova shows of it is not what it should be; "": it is again."""
        self.world.unreadable[server] = why

    def do_delete(self, server: ServerId) -> None:
        """Its tenant deletes it."""
        self.world.delete(server)

    def do_boot(self, server: NewServer, host: HostName) -> None:
        """A server whose boot ends only now."""
        new = text.server(server, {"host": host})
        self.names[new.uuid] = server
        self.world.servers[new.uuid], self.world.orders[new.uuid] = new, True
        self.world.claim(new, host, -1)

    def do_task(self, server: ServerId, state: str = "") -> None:
        """Its task state; none, without one."""
        old = self.world.servers[server]
        self.world.servers[server] = replace(old, task_state=state or None)

    def do_owner(self, request: Request, server: ServerId) -> None:
        """Its owner asks Nova to stop it, or for something else; a dead host finds
        that in its queue when it returns."""
        self.world.owners.ask(server, request)

    def do_purge(self, host: HostName) -> None:
        """Somebody empties both queues of a host."""
        self.world.owners.purge(host)
        self.world.evacuations.purge(host)

    def do_filter(self, server: ServerId, *hosts: HostName) -> None:
        """Nova's scheduler takes all hosts for it but these, for reasons of its own."""
        self.world.filtered = {f for f in self.world.filtered if f[1] != server}
        self.world.filtered |= {(host, server) for host in hosts}

    def do_share(self, server: ServerId) -> None:
        """Its owner attaches a share, with which Nova evacuates no server."""
        self.world.evacuations.unsupported.add(server)

    def do_delete_group(self, group: str) -> None:
        """Somebody deletes a server group."""
        for server in list(self.world.servers.values()):
            if server.group == group:
                self.world.set(server.uuid, group=None)

    def do_state_lags(self, server: ServerId, seconds: Seconds) -> None:
        """When its evacuation fails, Nova ends the record, and shows the server as it
        was for so long."""
        self.world.evacuations.lags[self.names[server]] = seconds

    def do_state(self, server: ServerId, vm_state: str) -> None:
        """Its tenant stops it, or something breaks it."""
        self.world.set(server, vm_state=vm_state, running=vm_state == "active")
        if vm_state in ("active", "stopped"):
            self.world.orders[server] = vm_state == "active"

    def do_guest_off(self, server: ServerId) -> None:
        """It goes off by itself; Nova shows it as active still, without power."""
        self.world.set(server, running=False)

    def do_misread_power(self, server: ServerId) -> None:
        """It runs, and Nova shows it as active without power: its old host, switched
        on, wrote that."""
        self.world.misread.add(server)
        self.world.set(server, running=False)

    def do_left_over(self, server: ServerId, host: HostName) -> None:
        """The host, which died when it was to get it, has a guest of it that is off."""
        self.world.evacuations.leftovers.add((server, host))

    def do_remove_guest(self, server: ServerId, host: HostName) -> None:
        """Somebody removes that guest."""
        self.world.evacuations.leftovers.discard((server, host))

    def do_nova_migrate(
        self, server: ServerId, destination: HostName, kind: Literal["live", "cold"]
    ) -> None:
        """Somebody else asks Nova."""
        kinds = {"live": MoveKind.LIVE, "cold": MoveKind.COLD}
        self.world.moves.ask(kinds[kind], server, destination, False)

    def do_nova_confirm(self, server: ServerId) -> None:
        """Somebody else confirms its cold migration."""
        self.world.moves.confirm(server)

    def do_nova_revert(self, server: ServerId) -> None:
        """Somebody else reverts its cold migration."""
        self.world.moves.revert(server)

    def do_nova_evacuate(self, server: ServerId, destination: HostName) -> None:
        """Somebody else asks Nova."""
        self.world.evacuations.ask(server, destination, False)

    # Clocks.

    def do_clock(self, seconds: Seconds) -> None:
        """The clock of the trigger's host is set, forward or back by so much."""
        self.simulation.clock.ahead += seconds
        self.world.ahead += seconds

    def do_clocks(self, seconds: Seconds) -> None:
        """All clocks of the site are set, Nova's too."""
        self.do_clock(seconds)
        self.world.nova_ahead += seconds
