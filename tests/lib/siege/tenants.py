# SPDX-License-Identifier: Apache-2.0
"""Ports, volumes and images of other tenants, which name servers that are not theirs.

Each list begins and ends as its tenant likes it; no service changes what is in it.
"""

import random
import uuid
from collections.abc import Mapping
from typing import Any

from tests.lib.cloud import Cloud
from tests.lib.siege.grammar import Grammar

_THEIRS = "f" * 32
_EACH = 3
"""Objects of each kind for a server."""


def write(cloud: Cloud, seed: int, servers: Mapping[str, str]) -> None:
    """Let other tenants have what names these servers.

    :param servers: the host of each.
    """
    numbers = random.Random(f"{seed} tenants")
    for server, host in servers.items():
        for _ in range(_EACH):
            known = numbers.choice((server, server.upper(), server + " ", server))
            cloud.neutron.ports.append(
                _spoilt(numbers, _port(known, host), "device_id")
            )
            cloud.cinder.others.append(_spoilt(numbers, _volume(known), "attachments"))
    for _ in range(_EACH):
        cloud.glance.others.append(_spoilt(numbers, _image(), ""))


def _spoilt(numbers: random.Random, found: dict[str, Any], kept: str) -> dict[str, Any]:
    """Anything, but for the key by which the service finds it."""
    made = Grammar(numbers, deep=False).several(found)
    made = made if isinstance(made, dict) else {}
    own = {"project_id": _THEIRS, "id": str(uuid.UUID(int=numbers.getrandbits(128)))}
    return {**made, **own, **({kept: found[kept]} if kept else {})}


def _port(server: str, host: str) -> dict[str, Any]:
    return {
        "device_id": server,
        "device_owner": "compute:nova",
        "binding:host_id": host,
        "binding:vif_type": "unbound",
        "binding:vnic_type": "accelerator-direct",
        "binding:profile": {"arq_uuid": server},
        "admin_state_up": False,
        "status": "ERROR",
        "name": "\u202e\x1b[2J",
    }


def _volume(server: str) -> dict[str, Any]:
    attachments = [{"server_id": server, "attachment_id": server, "device": "/dev/vda"}]
    return {"status": "backing-up", "attachments": attachments, "metadata": {"a": "b"}}


def _image() -> dict[str, Any]:
    traits = {"trait:CUSTOM_NOWHERE": "required", "hw_cpu_realtime_mask": "^0-99999999"}
    return {"status": "active", "updated_at": "9999-12-31T23:59:59Z", **traits}
