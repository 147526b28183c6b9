# SPDX-License-Identifier: Apache-2.0
"""The installed service recovers a host of a real Nova, under the unit's limits."""

from tests.lib.cloud import Cloud  # isort: skip  (prepares the process for Nova)

import json
import sys
from pathlib import Path

import pytest

from tests.integration.install.conftest import SPARE, ZONE
from tests.integration.install.fresh import Fresh
from tests.lib import redfish, rig
from tests.lib.cloud.config import Conf

CONF: Conf = {
    "detection": {"poll_interval": 1},
    "evacuation": {"follow_interval": 1},
    # The cloud is small, and the hosts of the Pythons before are dead in it already.
    "guard": {"max_cloud_percent": 100, "max_zone_percent": 100, "max_hosts": 20},
}

_PR_SET_NO_NEW_PRIVS, _PR_SET_MDWE = 38, 65
"""Linux has the second since 6.3; an older one refuses it."""

_AS_THE_UNIT = f"""#!{sys.executable}
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.prctl({_PR_SET_NO_NEW_PRIVS}, 1, 0, 0, 0)
libc.prctl({_PR_SET_MDWE}, 1, 0, 0, 0)
program = os.path.join({{bin!r}}, os.path.basename(sys.argv[0]))
os.execv(program, [program, *sys.argv[1:]])
"""


@pytest.fixture
def programs(host: Fresh, tmp_path: Path) -> Path:
    """Its programs, with NoNewPrivileges and MemoryDenyWriteExecute."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("nova-ha", "nova-ha-evacuator"):
        path = folder / name
        path.write_text(_AS_THE_UNIT.format(bin=str(host.bin)))
        path.chmod(0o755)
    return folder


def test_a_host_is_recovered(
    host: Fresh, programs: Path, cloud: Cloud, bmcs: redfish.Bmcs, tmp_path: Path
) -> None:
    victim = f"node{host.version}"
    trigger = rig.Trigger(tmp_path, cloud.clouds_yaml, CONF, programs)
    bmcs.fencing_file(trigger.fencing_file)
    for name in (victim, SPARE):
        trigger.nova_ha("tag", name, "--zone", ZONE, "--ha")
    flavor = cloud.flavor(f"ha-{host.version}", {"ha": "true"})
    server = cloud.create(f"db-{host.version}", flavor, host=victim)
    cloud.wait_status(server, "ACTIVE")

    with trigger.running(seconds=120):  # nothing of it is compiled yet
        cloud.crash(victim)
        cloud.force_down(victim)
        cloud.wait(f"the recovery of {victim}", lambda: _outcome(trigger, victim))
    assert _outcome(trigger, victim) == "recovered"
    assert bmcs.power(victim) == "Off"
    assert cloud.openstack().compute.get_server(server).compute_host == SPARE


def _outcome(trigger: rig.Trigger, host: str) -> str:
    """What the history says; "" while it goes on."""
    shown = json.loads(trigger.nova_ha("history", "list", "--host", host, "-f", "json"))
    outcome = str(shown[0]["outcome"] or "") if shown else ""
    return outcome if outcome in ("recovered", "incomplete") else ""
