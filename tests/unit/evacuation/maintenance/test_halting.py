# SPDX-License-Identifier: Apache-2.0
"""Who is stopped for the move, and who is not.

What a drain makes of it: tests/scenarios/maintenance. That it holds wherever the
trigger is killed: test_crash_of_moves.py.
"""

from typing import Any

import pytest

from tests.lib.simulation.scenario import Script

TPM = "it has a vTPM (2.0)"
WINDOW = 'at 10 maintenance-start node1 ann "new memory" drain\n'


def play(
    commands: str,
    options: dict[str, Any] | None = None,
    elsewhere: bool = False,
    **web: Any,
) -> list[str]:
    """What is told of a server that is to leave node1, and what Nova did.

    :param elsewhere: its hypervisor does not know it, whatever Nova shows.
    """
    cluster = {
        "hosts": {
            "node1": {"zone": "nfs-a"},
            "node2..node3": {"zone": "nfs-a", "room": 9},
        },
        "servers": {"web": {"host": "node1", **web}},
        "options": {"maintenance_stop_to_move": True, **(options or {})},
    }
    script = Script(cluster)
    if elsewhere:
        script.world.guests.off.add("uuid-web")
    script.run(commands)
    assert script.world.breaches == []
    return [line[7:] for line in script.log if " web" in line]


def count(log: list[str], words: str) -> int:
    return sum(line.startswith(words) for line in log)


def test_nobody_is_stopped_by_default() -> None:
    options = {"maintenance_stop_to_move": False}
    log = play(f"{WINDOW}at 200 end", options, refused_live=TPM)
    assert log[0] == f"move.left web (node1): Nova refuses: {TPM}"
    assert count(log, "move.") == 1
    assert log[-1] == "web active on node1"


def test_nobody_who_can_move_is_stopped() -> None:
    log = play(f"at 5 rebuild-fails web 2\n{WINDOW}at 300 end")
    assert count(log, "move.stopping") == 0
    assert log[-1] == "web active on node2"


@pytest.mark.parametrize("state", ["paused", "suspended", "rescued", "error"])
def test_only_who_runs_is_stopped(state: str) -> None:
    log = play(f"{WINDOW}at 300 end", vm_state=state, refused_live=TPM)
    assert count(log, "nova: stop") == 0
    assert log[-1] == f"web {state} on node1"


def test_nobody_is_stopped_whose_hypervisor_does_not_know_it() -> None:
    """After a live migration that went wrong, it may run at its destination; it would
    run twice if it was stopped here, and started elsewhere."""
    log = play(f"at 5 move-gives-up web 20\n{WINDOW}at 300 end", elsewhere=True)
    assert count(log, "move.stopping") == 1
    assert count(log, "nova: stop") == 0
    why = "and is not stopped for that: its hypervisor says that it does not run"
    assert any(line.startswith("move.failed") and line.endswith(why) for line in log)


def test_nobody_is_stopped_without_a_place() -> None:
    log = play(f"{WINDOW}at 300 end", refused_live=TPM, needs="99 vCPU")
    assert count(log, "move.waiting web (node1): no host can take it now") == 1
    assert count(log, "move.stopping") == 0


@pytest.mark.parametrize("call", ["lose-answer", "break"])
def test_the_answer_of_a_stop_is_lost(call: str) -> None:
    """Nova has got it, or not: it is stopped once, and started."""
    log = play(f"at 5 {call} stop\n{WINDOW}at 300 end", refused_live=TPM)
    assert count(log, "nova: stop") == 1
    assert count(log, "nova: start") == 1
    assert log[-1] == "web active on node2"


def test_the_answer_of_a_stop_is_lost_and_its_owner_starts_it() -> None:
    commands = "at 5 lose-answer stop\nat 5 stop-takes web 3\n"
    script = f"{commands}{WINDOW}at 24 owner start web\nat 300 end"
    log = play(script, refused_live=TPM)
    assert count(log, "nova: stop") == 1
    assert count(log, "move.left") == 1
    assert log[-1] == "web active on node1"


def test_nova_stops_it_not() -> None:
    """It is left, until its owner stops it; nobody starts it then."""
    commands = f"at 5 refuse stop\n{WINDOW}at 100 owner stop web\nat 300 end"
    log = play(commands, refused_live=TPM)
    assert count(log, "move.failed") == 1
    assert log[-1] == "web stopped on node2"


def test_its_new_host_is_down_when_it_is_to_be_started() -> None:
    """That is told, and it is started when the host is back."""
    # The pause keeps it from being fenced.
    commands = f"at 5 pause node2 bob why\n{WINDOW}at 33 force-down node2\n"
    log = play(f"{commands}at 200 lift node2\nat 300 end", refused_live=TPM)
    assert count(log, "move.not_started") == 1
    assert log[-1] == "web active on node2"


def test_nobody_is_stopped_to_go_home() -> None:
    cluster = {
        "hosts": {
            "node1": {"zone": "nfs-a"},
            "spare1": {"zone": "nfs-a", "room": 9, "reserved": True},
        },
        "servers": {"web": {"host": "node1", "refused_live": TPM}},
        "options": {"maintenance_stop_to_move": True, "return_failback": True},
    }
    script = Script(cluster)
    script.run("at 20 power off node1\nat 300 power on node1\nat 600 end")
    log = [line[7:] for line in script.log]
    assert count(log, "move.left web (spare1)") == 1
    assert count(log, "nova: stop") == 0
    assert log[-2] == "web active on spare1"
