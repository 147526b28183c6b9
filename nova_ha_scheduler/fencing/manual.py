# SPDX-License-Identifier: Apache-2.0
"""The method ``manual``: fenced by the word of a person or a cluster manager.

It says that a host has no device on purpose, where a missing method is an error.
The word itself is a confirmation in the journal, which counts for a host of any
method: that is what ends the wait for a BMC that died with its host.
"""

from typing import Any

from nova_ha_scheduler.evacuation.interfaces import NO_DEVICE, Power
from nova_ha_scheduler.fencing import Driver, FinalError


class Manual(Driver):
    """No device: never powers anything off, and never claims to have."""

    METHOD = NO_DEVICE

    def prepare(self) -> object:
        return None

    def state(self, connection: Any) -> Power:
        raise FinalError(
            "its fencing method is manual: make sure that it is off, then run "
            f"nova-ha confirm-fenced {self.host} --by NAME --reason TEXT"
        )

    def ask_off(self, connection: Any, seconds: float) -> None:
        raise AssertionError("its state is not known")
