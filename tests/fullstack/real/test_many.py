# SPDX-License-Identifier: Apache-2.0
"""Twenty guests on the dead host."""

from collections.abc import Callable, Iterable

import pytest

from tests.fullstack.conftest import check, recovered
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger

pytestmark = pytest.mark.real

HOST, NUMBER = "a1", 20


def boots(real: RealStack, ids: Iterable[str]) -> set[int]:
    """In which boot of its disk each one is."""
    return {real.boot_number(server) for server in ids}


def test_all_at_once(real: RealStack, trigger: Callable[..., Trigger]) -> None:
    ours = trigger()
    ids = servers.boot(real, HOST, NUMBER)
    assert real.standing(ids) == []
    ours.service().start()
    real.machines[HOST].kill()
    check(real, [recovered(real, ours, HOST)], ids)
    assert boots(real, ids) == {2}
    # It returns, late, and cleans up: no disk is touched.
    real.machines[HOST].start()
    real.wait("it is let in", lambda: ours.shown(HOST)[0]["ended"])
    assert real.standing(ids) == []
    assert boots(real, ids) == {2}
    assert real.machines[HOST].guests() == {}
