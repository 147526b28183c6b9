# SPDX-License-Identifier: Apache-2.0
"""The fence devices and witnesses of the simulated world."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport, Testimony
from nova_ha_scheduler.fencing.levels import Level, Levels
from nova_ha_scheduler.simulation.guests import Guests
from nova_ha_scheduler.simulation.machines import Machine


class Devices:
    """The part of :class:`.world.SimulatedWorld` that is not OpenStack."""

    machines: dict[str, Machine]
    guests: Guests
    lost_answers: dict[str, int]
    breaches: list[str]
    log: Callable[[str], None]

    def lacks(self, host: str) -> str:
        none = self.machines[host].device == "none"
        return "fencing.yaml has no entry for it" if none else ""

    def power_off(self, host: str) -> PowerReport:
        report = self._levels(host).power_off()
        off = report.power is Power.OFF and self.machines[host].device != "lies"
        if off and self.lost_answers.get("fence", 0) > 0:
            self.lost_answers["fence"] -= 1
            raise TimeoutError("the device took too long")
        return report

    def power(self, host: str) -> PowerReport:
        return self._levels(host).power()

    def check(self, host: str) -> PowerReport:
        return self._levels(host).check()

    def _levels(self, host: str) -> Levels:
        """Its BMC, and behind that an outlet, if the scenario has it."""
        levels = [Level((_Bmc(self, host, self.machines[host].device),))]
        if outlet := self.machines[host].outlet:
            levels.append(Level((_Outlet(self, host, outlet),)))
        return Levels(levels)

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
        self.guests.power_cut(host)


class _Bmc:
    """What the scenario says of a device: ``works``, ``unreachable``, and so on."""

    METHOD: ClassVar[str] = "redfish"
    PROVES: ClassVar[bool] = True
    answer = ""

    def __init__(self, devices: Devices, host: str, kind: str) -> None:
        self._devices, self._host, self._kind = devices, host, kind
        self.machine = devices.machines[host]

    def power_off(self) -> PowerReport:
        if lack := self._devices.lacks(self._host):
            return PowerReport(Power.UNKNOWN, "none", lack)
        if self._kind == "unreachable":
            return self._report(Power.UNKNOWN, "the device does not answer")
        if self._kind == "deaf":
            return self._report(Power.ON, "it is still on")
        if self.machine.flagged:
            words = f"{self._host} was fenced under maintenance"
            self._devices.breaches.append(words)
        if self._kind == "lies":
            return self._report(Power.OFF, "switched off")
        words = "switched off" if self.is_on else "it was already off"
        self._devices.log(f"device: {self._host} {words}")
        self.switch_off()
        return self._report(Power.OFF, words)

    def power(self) -> PowerReport:
        if lack := self._devices.lacks(self._host):
            return PowerReport(Power.UNKNOWN, "none", lack)
        if self._kind == "unreachable":
            return self._report(Power.UNKNOWN, "the device does not answer")
        power = Power.ON if self.is_on and self._kind != "lies" else Power.OFF
        return self._report(power, f"it is {power.value}")

    @property
    def is_on(self) -> bool:
        return self.machine.powered

    def switch_off(self) -> None:
        self._devices.cut(self._host)

    def _report(self, power: Power, words: str) -> PowerReport:
        return PowerReport(power, self.METHOD, words)


class _Outlet(_Bmc):
    """What feeds a host, and its BMC."""

    METHOD = "agent"

    @property
    def is_on(self) -> bool:
        return self.machine.fed

    def switch_off(self) -> None:
        super().switch_off()
        self.machine.fed = False
