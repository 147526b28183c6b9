# SPDX-License-Identifier: Apache-2.0
"""The compute hosts of the full stack: what power, nova-compute and BMC are to them."""

import multiprocessing
import os
import time

import pytest

from tests.lib.stack import compute, machines
from tests.lib.stack.machines import OFF, ON, STARTER, Machine


@pytest.fixture
def machine(tmp_path):
    def run(_):
        with (tmp_path / "warm").open("a") as file:
            file.write(str(machines.WARM in os.environ))
        time.sleep(100)

    fork = multiprocessing.get_context("fork")
    starter = fork.Process(target=compute.serve, args=(tmp_path, run))
    starter.start()
    while not (tmp_path / STARTER).exists():
        assert starter.is_alive()
    made = Machine(tmp_path, "a1")
    made.folder.mkdir()
    made.start()
    yield made
    made.kill()
    starter.kill()
    starter.join()


def _events(tmp_path):
    return [line["event"] for line in machines.read(tmp_path / "power")]


def test_power(machine, tmp_path):
    assert machine.alive
    assert machine.shown_power() == ON
    machine.order(OFF, "redfish")
    assert not machine.alive
    assert machine.shown_power() == OFF
    machine.kill()
    assert _events(tmp_path) == ["on", "off", "off already"]


def test_crash(machine, tmp_path):
    """nova-compute is gone, but its host has power, and is fenced like any other."""
    machine.crash()
    assert machine.alive
    assert not machine.runs
    assert machine.shown_power() == ON
    machine.start()
    assert machine.runs
    machine.crash()
    machine.order(OFF, "redfish")
    assert not machine.alive
    assert _events(tmp_path) == ["on", "crashed", "restarted", "crashed", "off"]


def test_guests_run_after_a_crash_alone(machine, tmp_path):
    def said(words):
        while len((tmp_path / "warm").read_text()) < len(words):
            assert machine.runs
        return (tmp_path / "warm").read_text() == words

    (tmp_path / "warm").touch()
    assert said("False")
    machine.crash()
    machine.start()
    assert said("FalseTrue")
    machine.kill()
    machine.start()
    assert said("FalseTrueFalse")


def test_hung(machine):
    machine.freeze()
    assert machine.alive
    machine.start()
    machine.thaw()
    machine.lie(OFF)
    assert machine.shown_power() == OFF
    machine.order(OFF, "redfish")
    assert machine.alive, "it does nothing while it lies"
    machine.lie(None)
    assert machine.shown_power() == ON
