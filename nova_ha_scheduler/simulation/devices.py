# SPDX-License-Identifier: Apache-2.0
"""The fence devices and witnesses of the simulated world."""

from collections.abc import Callable, Sequence

from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport, Testimony
from nova_ha_scheduler.simulation.machines import Machine


class Devices:
    """The part of :class:`.world.SimulatedWorld` that is not OpenStack."""

    machines: dict[str, Machine]
    lost_answers: dict[str, int]
    breaches: list[str]
    log: Callable[[str], None]

    def lacks(self, host: str) -> str:
        none = self.machines[host].device == "none"
        return "fencing.yaml has no entry for it" if none else ""

    def power_off(self, host: str) -> PowerReport:
        machine = self.machines[host]
        if lack := self.lacks(host):
            return PowerReport(Power.UNKNOWN, "none", lack)
        if machine.device == "unreachable":
            return PowerReport(Power.UNKNOWN, "redfish", "the device does not answer")
        if machine.device == "deaf":
            return PowerReport(Power.ON, "redfish", "it is still on")
        if machine.flagged:
            self.breaches.append(f"{host} was fenced under maintenance")
        if machine.device == "lies":
            return PowerReport(Power.OFF, "redfish", "switched off")
        words = "switched off" if machine.powered else "it was already off"
        self.log(f"device: {host} {words}")
        self.cut(host)
        if self.lost_answers.get("fence", 0) > 0:
            self.lost_answers["fence"] -= 1
            raise TimeoutError("the device took too long")
        return PowerReport(Power.OFF, "redfish", words)

    def power(self, host: str) -> PowerReport:
        machine = self.machines[host]
        if lack := self.lacks(host):
            return PowerReport(Power.UNKNOWN, "none", lack)
        if machine.device == "unreachable":
            return PowerReport(Power.UNKNOWN, "redfish", "the device does not answer")
        on = machine.powered and machine.device != "lies"
        power = Power.ON if on else Power.OFF
        return PowerReport(power, "redfish", f"it is {power.value}")

    def testify(self, host: str, since: float = 0.0) -> Sequence[Testimony]:
        return [
            Testimony(name, verdict, "by order of the scenario")
            for name, verdict in sorted(self.machines[host].witnesses.items())
        ]

    def cut(self, host: str) -> None:
        """Its power is gone, and with it nova-compute."""
        machine = self.machines[host]
        machine.powered = machine.agent = False
        machine.agent_at = machine.cleanup_at = None
