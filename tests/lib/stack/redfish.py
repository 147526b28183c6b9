# SPDX-License-Identifier: Apache-2.0
"""sushy-tools' Redfish emulator, whose systems are the hosts of a machine room.

A program: its arguments are the room's folder and then the emulator's own.
"""

import sys
from pathlib import Path
from typing import Any

from sushy_tools import error
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems import fakedriver

from tests.lib.stack.machines import OFF, ON, Machine

_RESETS = {
    "On": (ON,),
    "ForceOn": (ON,),
    "ForceOff": (OFF,),
    "GracefulShutdown": (OFF,),
    "ForceRestart": (OFF, ON),
    "GracefulRestart": (OFF, ON),
}


class Driver(fakedriver.FakeDriver):
    """The emulator's fake systems, with a real switch."""

    room: Path

    def get_power_state(self, identity: str) -> str:
        return self._machine(identity).shown_power()

    def set_power_state(self, identity: str, state: str) -> None:
        if state not in _RESETS:
            raise error.NotSupportedError(f"no reset type {state}")
        for power in _RESETS[state]:
            self._machine(identity).order(power, "redfish")

    def _machine(self, identity: str) -> Machine:
        system: dict[str, Any] = self._get(identity)
        return Machine(self.room, system["name"])


if __name__ == "__main__":
    Driver.room = Path(sys.argv.pop(1))
    fakedriver.FakeDriver = Driver
    sys.exit(emulator.main())
