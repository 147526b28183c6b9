# SPDX-License-Identifier: Apache-2.0
"""An ML2 mechanism driver that binds each port at whatever host asks, at once and
without an agent: as a tap device. A host that is named in the file ANYWHERE_NOT gets
none, as where its agent is dead; one that is named in ANYWHERE_DOWN gets one on which
nobody has begun to work, as where the agent has died just now.
"""

import os
from pathlib import Path
from typing import Any

from neutron_lib import constants
from neutron_lib.plugins.ml2 import api
from sqlalchemy import orm


class Driver(api.MechanismDriver):
    def initialize(self) -> None:
        """Without its router plugin, neutron has Port.port_forwardings only when this
        was done: else it fails for good if its first request is one for ports."""
        orm.configure_mappers()

    def bind_port(self, context: Any) -> None:
        if not context.host or _named(context.host, "ANYWHERE_NOT"):
            return
        segment = context.segments_to_bind[0]
        down = _named(context.host, "ANYWHERE_DOWN")
        context.set_binding(
            segment[api.ID],
            "tap",
            {"port_filter": False},
            status=constants.PORT_STATUS_DOWN if down else constants.PORT_STATUS_ACTIVE,
        )


def _named(host: str, which: str) -> bool:
    return host in Path(os.environ[which]).read_text().split()
