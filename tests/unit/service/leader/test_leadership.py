# SPDX-License-Identifier: Apache-2.0
"""The lease: how the first one is taken, and who keeps it."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.health.troubles import Troubles
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.service.leader import lock
from nova_ha_scheduler.service.leader.leadership import Leadership
from tests.lib.waiting import PATIENCE


def _leadership(url: str, timeout: float, **more: Any) -> Leadership:
    """:param more: what the journal does otherwise."""
    does: dict[str, Any] = {
        "owner": "me",
        "active": True,
        "holder": lambda: "",
        "acquire": lambda patience, lock: True,
        "commit": lambda change: None,
        "renew": lambda: True,
        "release": lambda: None,
    }
    journal: Any = SimpleNamespace(**{**does, **more})
    conf: Any = SimpleNamespace(
        journal=SimpleNamespace(lease_timeout=timeout),
        coordination=SimpleNamespace(backend_url=url, lock_name="nova-ha"),
    )
    return Leadership(conf, journal, SystemClock(), Troubles())


@contextlib.contextmanager
def _leading(renew: Callable[[], bool]) -> Iterator[Leadership]:
    """One that is the active trigger, and keeps its lease."""
    leadership = _leadership("", timeout=0.1, renew=renew)
    assert leadership.acquire()
    leadership.start()
    try:
        yield leadership
    finally:
        leadership.release()


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_lease_is_kept_after_any_error() -> None:
    numbers, again = itertools.count(1), threading.Event()

    def renew() -> bool:
        if next(numbers) == 1:
            raise AttributeError("'NoneType' object has no attribute 'settimeout'")
        again.set()
        return True

    with _leading(renew):
        assert again.wait(PATIENCE)


def test_a_lease_that_another_write_renews_is_no_trouble() -> None:
    """The journal was away for a moment. The report was written first when it was back,
    and so the lease need not be renewed."""
    numbers, again = itertools.count(1), threading.Event()

    def renew() -> bool:
        match next(numbers):
            case 1:
                raise JournalError("no answer")
            case 3:  # the second one has ended its trouble by now
                again.set()
        return False

    with _leading(renew) as leadership:
        assert again.wait(PATIENCE)
        assert leadership._troubles.standing() == []


def test_the_first_lease_is_taken_with_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was taken a moment before has nobody who takes over at once when its
    trigger is killed."""
    made = lock.coordinator

    def slowly(*said: Any) -> Any:
        time.sleep(0.3)
        return made(*said)

    monkeypatch.setattr(lock, "coordinator", slowly)
    taken_with: list[str] = []

    def acquire(patience: float, lock: str) -> bool:
        taken_with.append(lock)
        return True

    leadership = _leadership(f"file://{tmp_path}", timeout=60, acquire=acquire)
    leadership.start()
    try:
        assert leadership.acquire()
    finally:
        leadership.release()
    assert taken_with != [""]
