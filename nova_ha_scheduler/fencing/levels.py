# SPDX-License-Identifier: Apache-2.0
"""What a host is fenced by: levels, of which the next one is tried when one cannot
give proof in its time.

==========================  ======================================================
a level says off            the proof; which level it was is told
of several outlets          each has to be off, all at the same moment
a level gives no proof      its time is over, or it refuses: the next one
a level that only waits     nothing is waited for if another one says off already
an earlier one says on      and a later one off: no proof. The outlets that were
                            switched are another machine's
the first one is silent     and an outlet of a later one is on: that the host is fed
                            does not say that it is on, see Power.FED
==========================  ======================================================

So a level that tells of the host itself, a BMC, stands before one that feeds it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from nova_ha_scheduler.evacuation.interfaces import Power, PowerReport

_AGAINST = (
    "{off}; yet {on}: what was switched off is not what feeds this host. Put its "
    "levels in the fencing file right"
)

_REQUESTS = 5.0
"""To a fence device, in a power-off, beside the seconds of its own."""


class Device(Protocol):
    """What a level asks of a driver."""

    METHOD: ClassVar[str]
    PROVES: ClassVar[bool]
    answer: str

    def power_off(self) -> PowerReport: ...

    def power(self) -> PowerReport: ...


@dataclass(frozen=True)
class Level:
    """:ivar devices: all of which have to say off; a host with two power supplies has
    two outlets."""

    devices: tuple[Device, ...]

    @property
    def proves(self) -> bool:
        """Whether it can give proof; else it only waits."""
        return all(device.PROVES for device in self.devices)

    @property
    def method(self) -> str:
        return " + ".join(device.METHOD for device in self.devices)

    def each(self) -> Iterator[tuple[str, Device]]:
        """Its devices, with a name for each; "": there is one alone."""
        for number, device in enumerate(self.devices, 1):
            outlet = f"outlet {number} ({device.METHOD})"
            yield (outlet if len(self.devices) > 1 else ""), device

    def power_off(self) -> PowerReport:
        """Switch one off after the other: many power strips serve one at a time."""
        for name, device in self.each():
            report = device.power_off()
            if report.power is not Power.OFF:
                return self._of(name, report)
        if len(self.devices) == 1:
            return report
        looked = self.power()  # the first one may be on again by now
        if looked.power is Power.OFF:
            return looked
        words = f"they were not all off at the same moment: {looked.detail}"
        return PowerReport(looked.power, self.method, words)

    def power(self) -> PowerReport:
        """Off if all are, on if one is known to be."""
        told = [(name, device.power()) for name, device in self.each()]
        for power in (Power.ON, Power.UNKNOWN):
            for name, report in told:
                if report.power is power:
                    return self._of(name, report)
        words = f"all {len(told)} outlets say that their power is off"
        return (
            told[0][1] if len(told) == 1 else PowerReport(Power.OFF, self.method, words)
        )

    def _of(self, name: str, report: PowerReport) -> PowerReport:
        if not name:
            return report
        return PowerReport(report.power, self.method, f"{name}: {report.detail}")


class Levels:
    """All levels of one host."""

    def __init__(self, levels: Sequence[Level]) -> None:
        self.levels = tuple(levels)
        self._now: tuple[str, Level] | None = None

    @classmethod
    def of(cls, device: Device) -> "Levels":
        """One device alone."""
        return cls([Level((device,))])

    @property
    def method(self) -> str:
        return ", ".join(level.method for level in self.levels)

    @property
    def devices(self) -> list[Any]:
        return [device for level in self.levels for device in level.devices]

    @property
    def what(self) -> list[list[tuple[Any, ...]]]:
        """Differs where the host is fenced by something else."""
        return [
            [(d.METHOD, d.settings, d.limits) for d in level.devices]  # type: ignore[attr-defined]
            for level in self.levels
        ]

    @property
    def seconds(self) -> float:
        """As long as a power-off may take by the time-outs of all."""
        limits = [device.limits for device in self.devices]
        return float(sum(one.power_off + _REQUESTS * one.request for one in limits))

    @property
    def answer(self) -> str:
        """What was answered last while the host is powered off."""
        now = self._now  # another thread may be at its end
        if now is None:
            return ""
        name, level = now
        said = [device.answer for device in level.devices if device.answer]
        return _named(name, said[-1]) if said else name

    def objection(self) -> str:
        """Why one of the devices is not to be believed, by what all have said."""
        found = (device.objection() for device in self.devices)
        return next(filter(None, found), "")

    def power_off(self) -> PowerReport:
        """Try one level after the other, until one gives proof."""
        try:
            return self._power_off()
        finally:
            self._now = None

    def _power_off(self) -> PowerReport:
        if not self.levels[0].proves:
            looked = self.power()
            if looked.power is Power.OFF:
                return looked
        failed: list[tuple[str, Level, PowerReport]] = []
        for name, level in self._named_levels():
            self._now = name, level
            report = level.power_off()
            if report.power is not Power.OFF:
                failed.append((name, level, report))
                continue
            against = self._against(report, failed)
            return against or self._told(name, report, failed)
        if len(failed) == 1:
            return failed[0][-1]
        on = any(report.power is Power.ON for *_, report in failed)
        return PowerReport(
            Power.ON if on else Power.UNKNOWN, self.method, _all_of(failed)
        )

    def _against(
        self, off: PowerReport, failed: list[tuple[str, Level, PowerReport]]
    ) -> PowerReport | None:
        """No proof, if a level that has said on still says so."""
        for name, level, report in failed:
            if report.power is not Power.ON:
                continue
            again = level.power()
            if again.power is Power.ON:
                words = _AGAINST.format(off=off.detail, on=_named(name, again.detail))
                return PowerReport(Power.UNKNOWN, self.method, words)
        return None

    def power(self) -> PowerReport:
        """Ask one level after the other, until one knows."""
        silent: list[tuple[str, Level, PowerReport]] = []
        fed = False
        for name, level in self._named_levels():
            if not level.proves:
                continue
            report = level.power()
            if report.power is Power.OFF or (report.power is Power.ON and not silent):
                return self._told(name, report, silent)
            fed = fed or report.power is Power.ON
            silent.append((name, level, report))
        if len(silent) == 1:
            return silent[0][-1]
        power = Power.FED if fed else Power.UNKNOWN
        return PowerReport(power, self.method, _all_of(silent))

    def check(self) -> PowerReport:
        """Ask each device of all levels, whether it would serve."""
        asked = [
            (", ".join(filter(None, (name, outlet))), device.power())
            for name, level in self._named_levels()
            if level.proves
            for outlet, device in level.each()
        ]
        broken = [(n, report) for n, report in asked if report.power is Power.UNKNOWN]
        if broken:
            words = "; ".join(_named(name, report.detail) for name, report in broken)
            return PowerReport(Power.UNKNOWN, self.method, words)
        if len(asked) == 1:
            return asked[0][1]
        return PowerReport(asked[0][1].power, self.method, "each of its devices serves")

    def _named_levels(self) -> Iterator[tuple[str, Level]]:
        for number, level in enumerate(self.levels, 1):
            name = f"level {number} ({level.method})"
            yield (name if len(self.levels) > 1 else ""), level

    def _told(
        self, name: str, report: PowerReport, before: Sequence[tuple[str, Any, Any]]
    ) -> PowerReport:
        """The report, with the level that it is of, and what those before it said."""
        if not name:
            return report
        said = [report.detail]
        said += [
            f"{earlier} gave no proof: {failed.detail}" for earlier, _, failed in before
        ]
        words = "; ".join(filter(None, said))
        level = f"{report.by}, level {name.split()[1]} of {len(self.levels)}"
        return PowerReport(report.power, level, words)


def _named(name: str, words: str) -> str:
    return f"{name}: {words}" if name else words


def _all_of(told: Sequence[tuple[str, Any, PowerReport]]) -> str:
    return "; ".join(_named(name, report.detail) for name, _, report in told)
