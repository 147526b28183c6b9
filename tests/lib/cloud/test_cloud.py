# SPDX-License-Identifier: Apache-2.0
"""The launcher itself: each operation that other tests build on, end to end."""

import concurrent.futures
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lib.cloud import Cloud, CloudError, config, transport
from tests.lib.cloud.conftest import CELLS, REPORT_INTERVAL
from tests.lib.cloud.stubs import IMAGES

# isort: split
from nova import exception, rpc, utils, version
from nova.context import get_admin_context
from oslo_messaging import MessagingTimeout, Target

from tests.lib.waiting import PATIENCE

Boot = Callable[..., str]
Crash = Callable[[str], None]


@pytest.fixture(scope="module")
def flavor(cloud: Cloud) -> str:
    return cloud.flavor("test-cloud")


@pytest.fixture
def boot(cloud: Cloud, flavor: str) -> Iterator[Boot]:
    """Boot servers that are deleted when the test ends; the function returns an id."""
    booted: list[str] = []

    def boot(**request: Any) -> str:
        server = cloud.boot("test", flavor, **request)
        booted.append(server["id"])
        return booted[-1]

    yield boot
    for server in booted:
        cloud.delete(server)


@pytest.fixture
def crash(cloud: Cloud) -> Iterator[Crash]:
    """Crash hosts and force them down; they are brought back when the test ends."""
    crashed: list[str] = []

    def crash(host: str) -> None:
        crashed.append(host)
        cloud.crash(host)
        cloud.force_down(host)

    yield crash
    for host in crashed:
        if not cloud.is_running(host):
            cloud.revive(host)
        cloud.force_down(host, False)


def act(cloud: Cloud, server: str, action: str, body: Any = None, **kw: str) -> None:
    answer = cloud.nova("POST", f"/servers/{server}/action", {action: body}, **kw)
    assert answer.ok, answer.text


def evacuate(cloud: Cloud, server: str, host: str | None = None) -> None:
    """Evacuate and wait for the migration record, which alone tells the truth."""
    source = cloud.host(server)
    act(cloud, server, "evacuate", {"host": host} if host else {})
    query = f"/os-migrations?instance_uuid={server}&source_compute={source}"

    def done() -> bool:
        migrations = cloud.nova("GET", query).json()["migrations"]
        assert "error" not in {migration["status"] for migration in migrations}
        return bool(migrations[0]["status"] == "done")

    cloud.wait(f"evacuation of {server}", done)


def test_boot_makes_a_disk_and_delete_removes_it(cloud: Cloud, flavor: str) -> None:
    server = cloud.boot("test", flavor, host="host1")["id"]
    disk = cloud.disk(server)
    assert disk == cloud.state_dir / "zones" / "nfs-a" / f"{server}.disk"
    assert disk.exists()
    cloud.delete(server)
    assert not disk.exists()


def test_host_outside_of_zones_has_storage_of_its_own(cloud: Cloud, boot: Boot) -> None:
    server = boot(host="host6")
    assert cloud.disk(server).parent == cloud.state_dir / "local" / "host6"
    assert cloud.disk(server).exists()


def test_boot_with_min_count(cloud: Cloud, flavor: str) -> None:
    request = {"min_count": 3, "return_reservation_id": True}
    body = {
        "name": "many",
        "flavorRef": flavor,
        "imageRef": IMAGES["first"],
        "networks": "none",
        **request,
    }
    answer = cloud.nova("POST", "/servers", {"server": body})
    query = f"/servers?reservation_id={answer.json()['reservation_id']}"
    servers = [s["id"] for s in cloud.nova("GET", query).json()["servers"]]
    assert len(servers) == 3
    disks = {
        cloud.disk(cloud.wait_status(server, "ACTIVE")["id"]).read_bytes()
        for server in servers
    }
    assert len(disks) == 3
    for server in servers:
        cloud.delete(server)


@pytest.mark.parametrize("target", ["host2", "host4"])
def test_live_migration_keeps_the_disk(cloud: Cloud, boot: Boot, target: str) -> None:
    server = boot(host="host1")
    old = cloud.disk(server)
    before = old.read_bytes()
    act(
        cloud,
        server,
        "os-migrateLive",
        {"host": target, "block_migration": "auto"},
    )
    cloud.wait("live migration", lambda: cloud.host(server) == target)
    cloud.wait_status(server, "ACTIVE")
    new = cloud.disk(server)
    assert new.read_bytes() == before
    cloud.wait("one disk", lambda: old == new or not old.exists())


@pytest.mark.parametrize("target", ["host2", "host4"])
@pytest.mark.parametrize("end", ["confirmResize", "revertResize"])
def test_cold_migration_keeps_the_disk(
    cloud: Cloud, boot: Boot, target: str, end: str
) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    act(cloud, server, "migrate", {"host": target})
    cloud.wait_status(server, "VERIFY_RESIZE")
    assert cloud.host(server) == target
    assert cloud.disk(server).read_bytes() == before
    act(cloud, server, end)
    cloud.wait_status(server, "ACTIVE")
    assert cloud.host(server) == (target if end == "confirmResize" else "host1")
    assert cloud.disk(server).read_bytes() == before
    cloud.wait("one disk", lambda: len(cloud.hardware.disks(server)) == 1)


def test_resize(cloud: Cloud, boot: Boot) -> None:
    larger = cloud.flavor("larger", vcpus=2)
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    act(cloud, server, "resize", {"flavorRef": larger})
    cloud.wait_status(server, "VERIFY_RESIZE")
    assert cloud.host(server) != "host1"
    act(cloud, server, "confirmResize")
    cloud.wait_status(server, "ACTIVE")
    assert cloud.server(server)["flavor"]["vcpus"] == 2
    assert cloud.disk(server).read_bytes() == before


def test_rebuild_with_another_image_makes_a_new_disk(cloud: Cloud, boot: Boot) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    act(cloud, server, "rebuild", {"imageRef": IMAGES["second"]})
    rebuilt = cloud.wait_status(server, "ACTIVE")
    assert rebuilt["image"]["id"] == IMAGES["second"]
    assert cloud.host(server) == "host1"
    assert cloud.disk(server).read_bytes() != before


def test_shelve_and_unshelve_keep_the_bytes(cloud: Cloud, boot: Boot) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    act(cloud, server, "shelve")
    cloud.wait_status(server, "SHELVED_OFFLOADED")
    assert cloud.hardware.disks(server) == []
    act(cloud, server, "unshelve", {"host": "host4"})
    cloud.wait_status(server, "ACTIVE")
    assert cloud.host(server) == "host4"
    assert cloud.disk(server).read_bytes() == before


def test_evacuation_within_a_zone_keeps_the_disk(
    cloud: Cloud, boot: Boot, crash: Crash
) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    crash("host1")
    evacuate(cloud, server, "host2")
    assert cloud.host(server) == "host2"
    assert cloud.disk(server).read_bytes() == before


def test_evacuation_out_of_the_zone_loses_the_disk(
    cloud: Cloud, boot: Boot, crash: Crash
) -> None:
    server = boot(host="host1")
    before = cloud.disk(server).read_bytes()
    crash("host1")
    evacuate(cloud, server, "host4")
    assert cloud.disk(server).read_bytes() != before


def test_force_down_cannot_be_lifted_before_the_host_is_back(
    cloud: Cloud, boot: Boot, crash: Crash
) -> None:
    server = boot(host="host1")
    stays = boot(host="host1")
    crash("host1")
    evacuate(cloud, server, "host2")
    with pytest.raises(CloudError, match="evacuat"):
        cloud.force_down("host1", False)
    before = cloud.disk(server).read_bytes()
    cloud.revive("host1")
    cloud.force_down("host1", False)
    assert cloud.disk(server).read_bytes() == before
    assert set(cloud.hardware.guests("host1")) == {stays}


def test_server_group_policy_holds(cloud: Cloud, boot: Boot) -> None:
    group = cloud.openstack().compute.create_server_group(
        name="apart", policy="anti-affinity"
    )
    hosts = {cloud.host(boot(scheduler_hints={"group": group.id})) for _ in range(3)}
    assert len(hosts) == 3


def test_volume_backed_server_survives_any_evacuation(
    cloud: Cloud, boot: Boot, crash: Crash
) -> None:
    storage = cloud.openstack().block_storage
    volume = storage.create_volume(size=1, image=IMAGES["first"])
    mapping = {
        "boot_index": 0,
        "uuid": volume.id,
        "source_type": "volume",
        "destination_type": "volume",
    }
    server = boot(imageRef="", host="host1", block_device_mapping_v2=[mapping])
    assert storage.get_volume(volume.id).status == "in-use"
    assert cloud.hardware.disks(server) == []
    crash("host1")
    evacuate(cloud, server, "host4")
    assert cloud.server(server)["os-extended-volumes:volumes_attached"] == [
        {"id": volume.id, "delete_on_termination": False}
    ]
    (attachment,) = storage.get_volume(volume.id).attachments
    assert attachment["server_id"] == server


def test_volume_is_made_from_an_image(cloud: Cloud, boot: Boot) -> None:
    mapping = {
        "boot_index": 0,
        "uuid": IMAGES["first"],
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": 1,
        "delete_on_termination": True,
    }
    server = boot(imageRef="", block_device_mapping_v2=[mapping])
    (attached,) = cloud.server(server)["os-extended-volumes:volumes_attached"]
    volume = cloud.openstack().block_storage.get_volume(attached["id"])
    assert volume.status == "in-use"


def test_aggregates_reach_the_scheduler_and_placement(cloud: Cloud) -> None:
    compute = cloud.openstack().compute
    aggregate = compute.create_aggregate(name="zone-a")
    try:
        compute.add_host_to_aggregate(aggregate, "host1")
        compute.set_aggregate_metadata(aggregate, {"storage": "nfs-a"})
        manager = cloud.scheduler.host_manager
        known = cloud.wait(
            "the scheduler to know", lambda: manager.aggs_by_id.get(aggregate.id)
        )
        assert known.hosts == ["host1"]
        cloud.wait(
            "the metadata",
            lambda: manager.aggs_by_id[aggregate.id].metadata.get("storage") == "nfs-a",
        )
        query = f"/resource_providers?member_of={aggregate.uuid}"
        providers = cloud.placement("GET", query).json()["resource_providers"]
        assert [provider["name"] for provider in providers] == ["host1"]
    finally:
        compute.remove_host_from_aggregate(aggregate, "host1")
        compute.delete_aggregate(aggregate)


class TestSecondCell:
    """cell2's servers live in cell2's database and move within it."""

    def test_hosts_are_mapped_to_their_cells(self, cloud: Cloud) -> None:
        for cell, hosts in cloud.cells.items():
            assert rows(cloud, cell, "select host from compute_nodes") == set(hosts)

    def test_servers_are_in_the_database_of_their_cell(
        self, cloud: Cloud, boot: Boot
    ) -> None:
        first, second = boot(host="host1"), boot(host="other1")
        query = "select uuid from instances where deleted = 0"
        assert first in rows(cloud, "cell1", query) - rows(cloud, "cell2", query)
        assert second in rows(cloud, "cell2", query) - rows(cloud, "cell1", query)

    def test_live_and_cold_migration(self, cloud: Cloud, boot: Boot) -> None:
        server = boot(host="other1")
        before = cloud.disk(server).read_bytes()
        act(cloud, server, "os-migrateLive", {"host": None, "block_migration": "auto"})
        cloud.wait("live migration", lambda: cloud.host(server) == "other2")
        cloud.wait_status(server, "ACTIVE")
        act(cloud, server, "migrate")
        cloud.wait_status(server, "VERIFY_RESIZE")
        act(cloud, server, "confirmResize")
        cloud.wait_status(server, "ACTIVE")
        assert cloud.host(server) == "other1"
        assert cloud.disk(server).read_bytes() == before

    def test_evacuation(self, cloud: Cloud, boot: Boot, crash: Crash) -> None:
        server = boot(host="other1")
        before = cloud.disk(server).read_bytes()
        crash("other1")
        evacuate(cloud, server)
        assert cloud.host(server) == "other2"
        assert cloud.disk(server).read_bytes() == before

    def test_heartbeats_go_to_the_database_of_the_cell(self, cloud: Cloud) -> None:
        before = heartbeats(cloud, "cell2")
        assert set(before) == set(cloud.cells["cell2"])
        cloud.wait(
            "heartbeats of cell2",
            lambda: all(
                count > before[host]
                for host, count in heartbeats(cloud, "cell2").items()
            ),
        )
        assert not before.keys() & heartbeats(cloud, "cell1").keys()


def test_crashed_host_is_silent(cloud: Cloud) -> None:
    cloud.crash("host3")
    try:
        before = heartbeats(cloud, "cell1")
        time.sleep(3 * REPORT_INTERVAL)
        after = heartbeats(cloud, "cell1")
        assert after["host3"] == before["host3"]
        assert after["host1"] > before["host1"]
    finally:
        cloud.revive("host3")


def test_the_runbook_empties_each_queue_of_a_host(cloud: Cloud) -> None:
    """From Nova 33 on there are two."""
    page = Path(__file__).parents[3] / "docs/runbook.md"
    emptied = set(re.findall(r"purge_queue (\S+)\.HOST", page.read_text()))
    release = int(version.version_string().split(".")[0])
    has = {"compute", "compute-alt"} if release >= 33 else {"compute"}
    assert transport.topics(CELLS["cell1"][0]) == has
    assert emptied >= has


def test_concurrency_mode_is_the_one_of_the_release() -> None:
    release = int(version.version_string().split(".")[0])
    native = getattr(utils, "concurrency_mode_threading", lambda: False)()
    assert native == (release >= 33)


def test_many_boots_at_once(cloud: Cloud, flavor: str) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as executor:
        jobs = [executor.submit(cloud.create, "many", flavor) for _ in range(10)]
        servers = [job.result() for job in jobs]
    disks = set()
    for server in servers:
        cloud.wait_status(server, "ACTIVE")
        disks.add(cloud.disk(server).read_bytes())
        cloud.delete(server)
    assert len(disks) == 10


class TestTransport:
    """What a real broker does to messages, this one does."""

    class Endpoint:
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def echo(self, context: Any, value: Any) -> Any:
            self.seen.append(value)
            return value

        def fail(self, context: Any) -> None:
            raise exception.NoValidHost(reason="none")

    @pytest.fixture
    def endpoint(self) -> "TestTransport.Endpoint":
        return self.Endpoint()

    @pytest.fixture
    def server(self, cloud: Cloud, endpoint: Any) -> Iterator[Any]:
        server = rpc.get_server(Target(topic="test", server="there"), [endpoint])
        yield server
        server.stop()

    @pytest.fixture
    def client(self, cloud: Cloud) -> Any:
        client = rpc.get_client(Target(topic="test", server="there"))
        return client.prepare(timeout=0.5)

    def test_messages_are_json_on_the_way(self, server: Any, client: Any) -> None:
        server.start()
        answer = client.call(get_admin_context(), "echo", value={"list": (1, 2)})
        assert answer == {"list": [1, 2]}

    def test_exceptions_travel_as_data(self, server: Any, client: Any) -> None:
        server.start()
        with pytest.raises(exception.NoValidHost) as caught:
            client.call(get_admin_context(), "fail")
        assert type(caught.value) is not exception.NoValidHost  # a remote's image

    def test_call_to_nobody_times_out(self, client: Any) -> None:
        with pytest.raises(MessagingTimeout):
            client.prepare(server="nobody").call(get_admin_context(), "echo", value=1)

    def test_cast_waits_for_its_server(
        self, cloud: Cloud, server: Any, client: Any, endpoint: Any
    ) -> None:
        client.cast(get_admin_context(), "echo", value=1)
        assert endpoint.seen == []
        server.start()
        cloud.wait("the cast", lambda: endpoint.seen == [1])


def test_lists_are_rendered_as_oslo_config_reads_them() -> None:
    lists = {"available_filters": ["a", "b"], "enabled_filters": ["x", "y"]}
    text = config.render({"filter_scheduler": lists})
    assert text.splitlines() == [
        "[filter_scheduler]",
        "available_filters = a",
        "available_filters = b",
        "enabled_filters = x,y",
    ]


def test_restarted_scheduler_uses_changed_options(
    cloud: Cloud, flavor: str, boot: Boot
) -> None:
    nobody = {"filter_scheduler": {"enabled_filters": ["JsonFilter"]}}
    query = {"query": '["=", "$host", "nobody"]'}
    try:
        cloud.restart_scheduler(nobody)
        with pytest.raises(CloudError, match="No valid host"):
            boot(scheduler_hints=query)
    finally:
        cloud.restart_scheduler()
    assert cloud.host(boot(scheduler_hints=query))


def test_rebuild_delay(cloud: Cloud, boot: Boot) -> None:
    server = boot()
    cloud.hardware.rebuild_seconds = 1.0
    try:
        begin = time.monotonic()
        act(cloud, server, "rebuild", {"imageRef": IMAGES["first"]})
        cloud.wait_status(server, "ACTIVE")
        assert time.monotonic() - begin >= 1.0
    finally:
        cloud.hardware.rebuild_seconds = 0.0


def test_second_cloud_in_a_process_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="new process"):
        Cloud(tmp_path, {"cell1": ["host1"]}).start()


def test_command_serves_the_openstack_client_and_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.lib.cloud", "--hosts", "2"]
    with subprocess.Popen(
        [*command, "--state-dir", str(tmp_path / "state")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        lines: dict[str, str] = {}
        for line in process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                lines[name] = value
            if len(lines) == 2:
                break
        hosts = subprocess.run(
            [
                str(Path(sys.executable).with_name("openstack")),
                *("compute", "service", "list", "--service", "nova-compute"),
                *("-f", "value", "-c", "Host"),
            ],
            env=lines,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0
    assert sorted(hosts) == ["host1", "host2"]


def rows(cloud: Cloud, cell: str, query: str) -> set[Any]:
    """Return the first column that a cell's database file itself answers with."""
    return {row[0] for row in select(cloud, cell, query)}


def heartbeats(cloud: Cloud, cell: str) -> dict[str, int]:
    """Return how often each compute has reported to a cell's database."""
    query = "select host, report_count from services where binary = 'nova-compute'"
    return dict(select(cloud, cell, query))


def select(cloud: Cloud, cell: str, query: str) -> list[Any]:
    connection = sqlite3.connect(cloud.state_dir / f"nova_{cell}.sqlite")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
