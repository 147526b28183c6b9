# SPDX-License-Identifier: Apache-2.0
"""A dead host returns on a real Nova, and its servers go home."""

from tests.integration.maintenance.conftest import (  # isort: skip  (prepares for Nova)
    RESERVE,
    Trigger,
    act,
    boot,
    is_free,
)

from nova_ha_scheduler.journal.history import HistoryQuery
from tests.lib import redfish
from tests.lib.cloud import Cloud


def test_the_reserve_is_empty_again(
    cloud: Cloud, flavor: str, trigger: Trigger, bmcs: redfish.Bmcs
) -> None:
    """No step by hand: it dies, is recovered, returns, takes boots again."""
    ids = boot(cloud, flavor, "node4", "web", "db", "stays")
    act(cloud, ids["db"], "os-stop", "SHUTOFF")
    body = {"metadata": {"ha:failback": "false"}}
    assert cloud.nova("POST", f"/servers/{ids['stays']}/metadata", body).ok
    disks = {uuid: cloud.disk(uuid).read_bytes() for uuid in ids.values()}

    def told(kind: str) -> list[str]:
        query = HistoryQuery(host="node4", outcome=kind)
        return [event.reason for _, event in trigger.history().events(query)]

    with trigger.running():
        cloud.crash("node4")
        cloud.wait("the recovery", lambda: told("host.recovered"))
        assert {cloud.host(uuid) for uuid in ids.values()} == {RESERVE}
        bmcs.switch_on("node4")
        cloud.revive("node4")
        cloud.wait("the way home", lambda: told("failback.ended"))
        (words,) = told("failback.ended")  # with what other tests have left there
        assert words.endswith(" went home")
    hosts = {name: cloud.host(uuid) for name, uuid in ids.items()}
    assert hosts == {"web": "node4", "db": "node4", "stays": RESERVE}
    status = {name: cloud.server(uuid)["status"] for name, uuid in ids.items()}
    assert status == {"web": "ACTIVE", "db": "SHUTOFF", "stays": "ACTIVE"}
    assert {uuid: cloud.disk(uuid).read_bytes() for uuid in ids.values()} == disks
    assert is_free(cloud, "node4")
    assert boot(cloud, flavor, "node4", "after")
    shown = trigger.run("history", "show", "node4", "-f", "json").json
    assert shown["events"][-1]["reason"] == words
    reserved = cloud.nova("GET", f"/servers?all_tenants=1&host={RESERVE}").json()
    assert [server["name"] for server in reserved["servers"]] == ["stays"]
    cloud.delete(ids["stays"])
