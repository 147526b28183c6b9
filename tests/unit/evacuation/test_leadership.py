# SPDX-License-Identifier: Apache-2.0
"""The thread that keeps the lease outlives whatever a database's driver raises."""

import itertools
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.evacuation.leadership import Leadership
from nova_ha_scheduler.evacuation.troubles import Troubles


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_lease_is_kept_after_any_error() -> None:
    numbers, again = itertools.count(1), threading.Event()

    def renew() -> bool:
        if next(numbers) == 1:
            raise AttributeError("'NoneType' object has no attribute 'settimeout'")
        again.set()
        return True

    journal: Any = SimpleNamespace(
        owner="me",
        active=True,
        holder=lambda: "",
        acquire=lambda patience, lock: True,
        commit=lambda change: None,
        renew=renew,
        release=lambda: None,
    )
    conf: Any = SimpleNamespace(
        journal=SimpleNamespace(lease_timeout=0.1),
        coordination=SimpleNamespace(backend_url=""),
    )
    leadership = Leadership(conf, journal, SystemClock(), Troubles())
    assert leadership.acquire()
    leadership.start()
    try:
        assert again.wait(10)
    finally:
        leadership.release()
