# SPDX-License-Identifier: Apache-2.0
"""A server whose disk Nova has copied, for its owner had it resized."""

from collections.abc import Callable

import pytest

from tests.fullstack.conftest import check, recovered
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real


def test_its_disk_goes_on(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    """At its new host, and at the next after a power cut. With use_cow_images, Nova's
    default, beside images_type=raw, Nova makes qcow2 of it and opens it as raw
    (docs/runbook.md); so the stack has it off."""
    ours = trigger()
    (server,) = servers.boot(real, "a1", 1)
    assert real.standing([server]) == []
    bigger = real.openstack().compute.find_flavor(servers.BIGGER, ignore_missing=False)
    path = f"/servers/{server}/action"
    resize = {"resize": {"flavorRef": bigger.id}}
    real.nova("POST", path, resize).raise_for_status()
    real.wait_status(server, "VERIFY_RESIZE")
    real.nova("POST", path, {"confirmResize": None}).raise_for_status()
    real.wait_status(server, "ACTIVE")
    host = real.host(server)
    assert host == "a2"
    assert real.standing([server]) == []
    assert real.boot_number(server) == 2
    ours.service().start()
    real.machines[host].kill()
    check(real, [recovered(real, ours, host)], {server})
    assert real.boot_number(server) == 3
