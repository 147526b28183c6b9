# SPDX-License-Identifier: Apache-2.0
"""Built once, and installed once for each Python."""

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

import os
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.integration.install import fresh
from tests.integration.install.fresh import Built, Fresh
from tests.lib import redfish

PYTHONS = fresh.pythons()
PROGRAMS = ("nova-ha", "nova-ha-evacuator")

WALKED = ("compute1", "compute2")
"""The hosts of docs/configure.md, in its zone."""
SPARE = "spare"
ZONE = "nfs-a"
HOSTS = [f"node{version}" for version in sorted(PYTHONS)] + [SPARE, *WALKED]
"""Each environment has a host to recover."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return fresh.build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session", params=sorted(PYTHONS))
def plain(
    request: pytest.FixtureRequest,
    built: Built,
    tmp_path_factory: pytest.TempPathFactory,
) -> Fresh:
    """The package alone, as a scheduler's host has it beside Nova."""
    folder = tmp_path_factory.mktemp("fresh") / request.param
    environment = Fresh(folder, request.param, PYTHONS[request.param])
    environment.install(built.wheel)
    return environment


@pytest.fixture(scope="session")
def refusals(plain: Fresh) -> dict[str, str]:
    """What the programs say there."""
    return {name: fresh.run([plain.bin / name], code=2) for name in PROGRAMS}


@pytest.fixture(scope="session")
def host(plain: Fresh, refusals: dict[str, str]) -> Fresh:
    """A host of the trigger: done what the refusal says."""
    found = re.search(r"pip (install .*)", refusals["nova-ha"])
    assert found
    _, what = shlex.split(found[1])
    plain.install(what)
    return plain


@pytest.fixture(scope="session")
def bmcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redfish.Bmcs]:
    with redfish.bmcs(tmp_path_factory.mktemp("bmcs"), HOSTS) as bmcs:
        yield bmcs


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    zones = dict.fromkeys(HOSTS, ZONE)
    with Cloud(tmp_path_factory.mktemp("cloud"), {"cell1": HOSTS}, zones) as cloud:
        yield cloud


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """So that nobody believes that a Python was tried which was not."""
    said = f"Installed on Python {' and '.join(sorted(PYTHONS))}"
    if not os.environ.get("PYTHONS"):
        said += " (PYTHONS=all: on each of 3.11 or later that is here)"
    terminalreporter.write_line(said)
