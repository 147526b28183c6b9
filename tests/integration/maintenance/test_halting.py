# SPDX-License-Identifier: Apache-2.0
"""Servers that cannot be moved while they run leave a host of a real Nova."""

from tests.integration.maintenance.conftest import (  # isort: skip  (prepares for Nova)
    CONF,
    HOSTS,
    Trigger,
    act,
    boot,
)

from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.lib import redfish
from tests.lib.cloud import Cloud
from tests.lib.cloud.config import Conf, merge
from tests.lib.cloud.driver import Driver

ORDER = ("--by", "ann", "--reason", "new memory")


def _goes_back(
    self: Driver,
    context: Any,
    instance: Any,
    dest: str,
    post_method: Any,
    recover_method: Any,
    block_migration: Any = False,
    migrate_data: Any = None,
) -> None:
    """A live migration that libvirt gives up, as the guest writes too fast. Of some,
    Nova takes that for an error of the server, which runs on."""
    words = {"migration_status": "cancelled"}
    recover_method(context, instance, dest, migrate_data, **words)
    if instance.display_name.startswith("error"):
        raise RuntimeError("operation aborted: migration out job: canceled by client")


STEPS = ["stopping", "stopped", "asked", "moving", "confirming", "starting", "started"]


def test_servers_that_cannot_be_moved_while_they_run(
    cloud: Cloud,
    flavor: str,
    bmcs: redfish.Bmcs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are stopped, moved cold and started, as the operator lets it be; who was
    stopped by its owner stays so."""
    monkeypatch.setattr(Driver, "live_migration", _goes_back)
    ids = boot(cloud, flavor, "node4", "busy", "error", "owners")
    act(cloud, ids["owners"], "os-stop", "SHUTOFF")
    disks = {uuid: cloud.disk(uuid).read_bytes() for uuid in ids.values()}
    ours: Conf = {
        "maintenance": {"stop_to_move": True, "attempts": 1},
        "evacuation": {"retry_interval": 1},
    }
    trigger = Trigger(tmp_path, cloud.clouds_yaml, merge(CONF, ours))
    bmcs.fencing_file(trigger.fencing_file)
    with trigger.running():
        found = trigger.maintenance("start", "node4", *ORDER, "--drain", "--wait")
        assert found.code == 0, found.err
        assert trigger.maintenance("end", "node4", "--wait").code == 0
    told = trigger.history().events(HistoryQuery(host="node4", limit=None))
    status = {name: cloud.server(uuid)["status"] for name, uuid in ids.items()}
    assert status == {"busy": "ACTIVE", "error": "ACTIVE", "owners": "SHUTOFF"}
    for name, uuid in ids.items():
        assert cloud.host(uuid) in HOSTS[:3], name
        assert cloud.disk(uuid).read_bytes() == disks[uuid]
        path = f"/servers/{uuid}/os-instance-actions"
        done = cloud.nova("GET", path).json()["instanceActions"]
        words = [one["action"] for one in reversed(done)]
        if name == "owners":
            assert words == ["create", "stop", "migrate", "confirmResize"]
            continue
        cold = ["stop", "migrate", "confirmResize", "start"]
        assert words == ["create", "live-migration", *cold]
        mine = [e.kind.value for _, e in reversed(told) if e.server == uuid]
        at = mine.index("move.stopping")
        assert mine[at:] == [f"move.{step}" for step in (*STEPS, "moved")]
    for uuid in ids.values():
        cloud.delete(uuid)
