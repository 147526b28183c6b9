# SPDX-License-Identifier: Apache-2.0
"""Servers that Nova evacuates to no host, as it is: that is known before, and is told
with what can be done."""

from tests.integration.trigger.conftest import boot_on  # isort: skip

import json

from nova import context as nova_context
from nova import objects
from oslo_utils import uuidutils

from tests.integration.trigger.conftest import MakeTrigger
from tests.lib.cloud import Cloud

OFF = ("--confirm-fenced", "--by", "Bob", "--reason", "I pulled the plug")
HOST, SOURCE = "OS-EXT-SRV-ATTR:host", "node4"


def add_share(server: str) -> None:
    """As nova-api does when an owner attaches one."""
    context = nova_context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(context, server)
    with nova_context.target_cell(context, mapping.cell_mapping) as cell:
        share = objects.share_mapping.ShareMapping(cell)
        share.uuid, share.share_id = (uuidutils.generate_uuid() for _ in range(2))
        share.instance_uuid, share.status = server, "active"
        share.tag, share.export_location, share.share_proto = "t", "h:/x", "NFS"
        share.create()


def test_what_holds_servers_on_their_dead_host(
    cloud: Cloud, flavor: str, trigger: MakeTrigger
) -> None:
    """A share, which goes nowhere; and a group, which an operator can delete."""
    compute = cloud.openstack().compute
    group = compute.create_server_group(name="close", policy="affinity")
    shared, plain = boot_on(cloud, SOURCE, flavor, "shared", "plain")
    hints = {"group": group.id}
    close = [
        cloud.boot(name, flavor, host=SOURCE, scheduler_hints=hints)["id"]
        for name in ("close1", "close2")
    ]
    add_share(shared)
    used = trigger()
    planned = used.both("plan", SOURCE, "-f", "json", code=3)[0]
    rows = {row["name"]: row for row in json.loads(planned)}
    assert "it has a share" in rows["shared"]["reason"][0]
    for name in ("close1", "close2"):
        assert f"openstack server group delete {group.id}" in rows[name]["reason"][0]
    cloud.crash(SOURCE)
    cloud.force_down(SOURCE)
    used.nova_ha("evacuate", SOURCE, *OFF, "--wait", code=3)
    assert cloud.host(plain) != SOURCE
    told = {
        event["server_name"]: event["reason"]
        for event in used.json("history", "events", "--kind", "server.left")
    }
    assert "instances that have shares" in told["shared"]
    assert "hard affinity policy" in told["close1"]
    compute.delete_server_group(group.id)
    used.nova_ha("evacuate", SOURCE, *OFF, "--wait", code=3)
    for server in close:
        assert cloud.wait_status(server, "ACTIVE")[HOST] != SOURCE
    for server in (shared, plain, *close):
        cloud.delete(server)
