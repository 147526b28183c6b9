# SPDX-License-Identifier: Apache-2.0
"""When a host is open again: by what Nova shows, against a Nova of lists."""

import datetime
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.lib.stack import heal
from tests.lib.stack.machines import Machine

HOST = "source"


class _Nova:
    """It shows one list of services after another, the last one for ever."""

    def __init__(self, *shown: dict[str, Any]) -> None:
        self._shown = [*shown]
        self.orders: list[Any] = []

    def nova(self, method: str, path: str, body: Any = None, **_: Any) -> Any:
        answer = requests.Response()
        answer.status_code = requests.codes.ok
        if method == "PUT":
            self.orders.append(body)
            return answer
        (shown,) = self._shown[:1]
        del self._shown[: len(self._shown) > 1]
        answer.json = lambda **_: {"services": [shown]}  # type: ignore[method-assign]
        return answer


def _service(heard: float, **traits: object) -> dict[str, Any]:
    """:param heard: seconds from now."""
    at = datetime.datetime.fromtimestamp(time.time() + heard, datetime.UTC)
    shown = at.replace(tzinfo=None).isoformat()
    open_ = {"forced_down": False, "state": "up", "status": "enabled"}
    return {"id": "1", "updated_at": shown, **open_, **traits}


@pytest.fixture
def started(tmp_path: Path) -> Machine:
    """One that was started just now."""
    machine = Machine(tmp_path, HOST)
    machine.folder.mkdir(parents=True)
    (machine.folder / "pid").write_text("0")
    return machine


def _looks(nova: _Nova, machine: Machine) -> int:
    """How many looks at Nova it takes until the host is open."""
    client: Any = nova
    opening = heal._Opening(client, machine, heal.CleaningUp(60))
    return next(number for number in range(1, 10) if opening.done())


def test_a_heartbeat_from_before_the_start_opens_no_host(
    started: Machine,
) -> None:
    nova = _Nova(_service(-5), _service(-5), _service(+2))
    assert _looks(nova, started) == 3
    assert not nova.orders


def test_nor_does_the_order_that_is_written_to_the_same_record(
    started: Machine,
) -> None:
    down = _service(-5, forced_down=True)
    nova = _Nova(down, _service(-0.5), _service(+2))
    assert _looks(nova, started) == 3
    assert nova.orders == [{"forced_down": False}]


def test_one_that_has_run_for_long_is_open_at_once(tmp_path: Path) -> None:
    assert _looks(_Nova(_service(-5)), Machine(tmp_path, HOST)) == 1
