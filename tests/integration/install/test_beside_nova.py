# SPDX-License-Identifier: Apache-2.0
"""The wheel in an environment that has Nova already, as a scheduler's host has."""

import json
import re
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.integration.install.fresh import TREE, Built, Fresh

# As nova.cmd.scheduler begins.
_SCHEDULER = """
import json, sys
from nova import config, objects
config.parse_args(["nova-scheduler", "--config-file", sys.argv[1]])
objects.register_all()
from nova.scheduler.host_manager import HostManager
from nova.api.validation.extra_specs import validators
manager = HostManager()
validators.load_validators()
print(json.dumps({
    "filters": [type(each).__name__ for each in manager.enabled_filters],
    "weighers": [type(each).__name__ for each in manager.weighers],
    "module": sys.modules["nova_ha_scheduler"].__file__,
    "extra specs": sorted(name for name in validators.VALIDATORS if name[:2] == "ha"),
}))
"""


def _nova_alone(environment: Fresh) -> None:
    """Nova with all that it needs, as it is in the environment that runs this: a link
    to each package but ours."""
    theirs = Path(sysconfig.get_path("purelib"))
    ours = Path(
        environment.code("import sysconfig as s; print(s.get_path('purelib'))").strip()
    )
    for path in theirs.iterdir():
        there = ours / path.name
        if "nova_ha_scheduler" not in path.name and not there.exists():
            there.symlink_to(path)


@pytest.fixture(scope="module")
def scheduler(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = tmp_path_factory.mktemp("beside") / "nova"
    environment = Fresh(folder, version, Path(sys.executable))
    _nova_alone(environment)
    # Nothing else is fetched: none of Nova's packages is changed by ours.
    environment.install("--no-index", built.wheel)
    return environment


@pytest.fixture(scope="module")
def nova_conf(scheduler: Fresh, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's lines for nova.conf, and an empty database."""
    found = re.search(
        r"^    \[filter_scheduler\]\n(?:    .*\n)+",
        (TREE / "README.md").read_text(),
        re.M,
    )
    assert found
    folder = tmp_path_factory.mktemp("conf")
    path = folder / "nova.conf"
    path.write_text(
        found[0].replace("    ", "")
        + f"[api_database]\nconnection = sqlite:///{folder}/api.sqlite\n"
        + f"[database]\nconnection = sqlite:///{folder}/cell.sqlite\n"
    )
    sync = "import sys; from nova.cmd.manage import main; sys.exit(main())"
    scheduler.code(sync, "--config-file", path, "api_db", "sync")
    return path


def test_nova_scheduler_loads_filters_and_weighers(
    scheduler: Fresh, nova_conf: Path
) -> None:
    *_, last = scheduler.code(_SCHEDULER, nova_conf).splitlines()
    found = json.loads(last)
    assert Path(found["module"]).is_relative_to(scheduler.bin.parent)
    assert found["filters"][:4] == [
        "HostMaintenanceFilter",
        "StorageZoneFilter",
        "FailoverHostFilter",
        "HAFlavorFilter",
    ]
    assert {
        "FailoverHostWeigher",
        "HAAdmissionWeigher",
        "StorageZoneWeigher",
        "RAMWeigher",
    } <= set(found["weighers"])
    assert "ha" in found["extra specs"]
    assert "ha:recovery" in found["extra specs"]
