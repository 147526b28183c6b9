# SPDX-License-Identifier: Apache-2.0
"""The launcher itself: its scheduler, its transport, and its command."""

import concurrent.futures
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cloud.actions import Boot, act
from tests.integration.cloud.conftest import CELLS
from tests.lib.cloud import Cloud, CloudError, config, transport
from tests.lib.cloud.stubs import IMAGES

# isort: split
from nova import exception, rpc, utils, version
from nova.context import get_admin_context
from oslo_messaging import MessagingTimeout, Target

from tests.lib.waiting import PATIENCE


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
