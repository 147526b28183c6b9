# SPDX-License-Identifier: Apache-2.0
"""A new user's walk: what docs/install.md, configure.md and monitoring.md tell root to
type.

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
from tests.integration.monitoring.test_prometheus import TARGETS, said
from tests.lib import packages, ports, redfish
from tests.lib.errors import CloudError

_BLOCK = re.compile(r"(?<=^```sh\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_OURS = (
    "[detection]\npoll_interval = 1\n[evacuation]\nfollow_interval = 1\n"
    # The cloud is small, and a host of test_recovery.py is dead in it already.
    "[guard]\nmax_cloud_percent = 100\n"
)
AS_OURS = "runuser -u nova-ha -- "
PROMETHEUS = "localhost:9090"
"""Where the page has it."""
FIRING = 'ALERTS{alertstate="firing"}'


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


class Walk:
    """:ivar said: what each line has said."""

    def __init__(self, stranger: Machine, cwd: Path) -> None:
        self.said: dict[str, str] = {}
        self._stranger, self._cwd = stranger, cwd

    def along(self, *pages: str, prometheus: str = PROMETHEUS) -> None:
        """:param prometheus: the address at which it is here."""
        for block in (block for page in pages for block in _blocks(page)):
            for line in block.splitlines():
                if line.startswith("cd "):
                    self._cwd = Path(line.removeprefix("cd "))
                # They may warn of this cloud, which is none for production.
                warns = line.endswith(("nova-ha check", "nova-ha health"))
                code = " || [ $? = 1 ]" if warns else ""
                typed = line.replace(PROMETHEUS, prometheus) + code
                self.said[line] = self._stranger.run(typed, cwd=self._cwd)


def _monitored(stranger: Machine) -> str:
    """A Prometheus as Debian's package brings it, a person who knows what belongs into
    which file, and two free ports. :returns: where that Prometheus is."""
    port, address = ports.free_port(), f"localhost:{ports.free_port()}"
    unpacked = str(TREE / ".packages" / "prometheus" / "usr" / "bin")
    for program in ("prometheus", "promtool"):
        path = packages.find(program, "prometheus", unpacked)
        stranger.stand_in(program, f'#!/bin/sh\nexec {path} "$@"\n')
    stranger.run(
        "mkdir -p /etc/prometheus /etc/default /var/lib/prometheus\n"
        f"echo --web.listen-address={address} >/etc/default/prometheus"
    )
    conf = stranger.run("cat /etc/nova-ha-scheduler/nova-ha.conf")
    page = said("scrape_configs:", "rule_files:")
    assert TARGETS in page
    page = page.replace(TARGETS, f'["localhost:{port}"]')
    page = page.replace("scrape_interval: 15s", "scrape_interval: 5s")
    stranger.edits(
        {
            "nova-ha.conf": f"{conf}[health]\nport = {port}\n",
            "prometheus.yml": f"global: {{evaluation_interval: 5s}}\n{page}",
        }
    )
    return address


@pytest.mark.skipif(os.geteuid() != 0, reason="the pages are for root")
def test_from_install_to_a_recovered_host_and_an_alert_that_fires(
    stranger: Machine, cloud: Cloud, bmcs: redfish.Bmcs, built: Built
) -> None:
    victim, *_ = WALKED
    flavor = cloud.flavor("m1.pet", {"ha": "true"})
    server = cloud.create("pet", flavor, host=victim)
    cloud.wait_status(server, "ACTIVE")

    walk = Walk(stranger, built.source)
    walk.along("install", "configure")
    assert "pet" in walk.said[f"{AS_OURS}nova-ha plan {victim}"]

    cloud.crash(victim)
    cloud.force_down(victim)
    shown = f"{AS_OURS}nova-ha history list -f value -c host -c outcome"

    def recovered() -> bool:
        return f"{victim} recovered" in stranger.run(shown)

    try:
        cloud.wait("the recovery", recovered)
    except CloudError as error:
        told = stranger.run(f"{AS_OURS}nova-ha history events || true")
        raise CloudError(told) from error
    assert bmcs.power(victim) == "Off"
    assert cloud.openstack().compute.get_server(server).compute_host != victim

    walk.along("monitoring", prometheus=_monitored(stranger))
    asked = f"promtool query instant http://{PROMETHEUS} "
    assert "=> 1 @" in walk.said[f"{asked}nova_ha_active"]
    assert 'alertname="NovaHaPaused"' in walk.said[f"{asked}'{FIRING}'"]
