# SPDX-License-Identifier: Apache-2.0
"""A new user's walk: what docs/install.md and docs/configure.md tell root to type.

Each block that begins with ```sh is run, line by line, in the order of the pages. What
is indented is not: it is for a machine of another kind, or shows what a file holds.
"""

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.install import machine
from tests.integration.install.conftest import WALKED
from tests.integration.install.fresh import TREE, Built
from tests.integration.install.machine import Machine, NoMachine
from tests.lib import redfish
from tests.lib.errors import CloudError

_BLOCK = re.compile(r"(?<=^```sh\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_OURS = (
    "[detection]\npoll_interval = 1\n[evacuation]\nfollow_interval = 1\n"
    # The cloud is small, and a host of test_recovery.py is dead in it already.
    "[guard]\nmax_cloud_percent = 100\n"
)
AS_OURS = "runuser -u nova-ha -- "


def _blocks(page: str) -> list[str]:
    return _BLOCK.findall((TREE / "docs" / f"{page}.md").read_text())


@pytest.fixture
def stranger(cloud: Cloud, bmcs: redfish.Bmcs, tmp_path: Path) -> Iterator[Machine]:
    """A machine beside the cloud, and a person who knows this cloud's values."""
    conf = (TREE / "etc/nova-ha-scheduler/nova-ha.conf.minimal").read_text()
    keystone = cloud.endpoints["identity"]
    conf = conf.replace("https://keystone.example.org:5000", keystone) + _OURS
    fencing = tmp_path / "fencing.yaml.ours"
    bmcs.fencing_file(fencing)
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(machine.running(tmp_path))
        except NoMachine as error:
            pytest.skip(str(error))
        made.edits({"nova-ha.conf": conf, "fencing.yaml": fencing.read_text()})
        yield made


@pytest.mark.skipif(os.geteuid() != 0, reason="the pages are for root")
def test_from_install_to_a_recovered_host(
    stranger: Machine, cloud: Cloud, bmcs: redfish.Bmcs, built: Built
) -> None:
    victim, *_ = WALKED
    flavor = cloud.flavor("m1.pet", {"ha": "true"})
    server = cloud.create("pet", flavor, host=victim)
    cloud.wait_status(server, "ACTIVE")

    said = {}
    cwd = built.source
    for block in _blocks("install") + _blocks("configure"):
        for line in block.splitlines():
            if line.startswith("cd "):
                cwd = Path(line.removeprefix("cd "))
            # They may warn of this cloud, which is none for production.
            warns = line.endswith(("nova-ha check", "nova-ha health"))
            code = " || [ $? = 1 ]" if warns else ""
            said[line] = stranger.run(line + code, cwd=cwd)
    assert "pet" in said[f"{AS_OURS}nova-ha plan {victim}"]

    cloud.crash(victim)
    cloud.force_down(victim)
    shown = f"{AS_OURS}nova-ha history list -f value -c host -c outcome"

    def recovered() -> bool:
        said["history"] = stranger.run(shown)
        return f"{victim} recovered" in said["history"]

    try:
        cloud.wait("the recovery", recovered, 240)
    except CloudError as error:
        told = stranger.run(f"{AS_OURS}nova-ha history events || true")
        raise CloudError(f"{said['history']}{told}") from error
    assert bmcs.power(victim) == "Off"
    assert cloud.openstack().compute.get_server(server).compute_host != victim
