# SPDX-License-Identifier: Apache-2.0
"""What Pacemaker says, as it was recorded, and which of it is a word."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nova_ha_scheduler.spool.pacemaker import NotConfirmed, word_of
from nova_ha_scheduler.spool.word import Word

DESC = "Operation off of a1 by n1 for pacemaker-controld.43@n1: OK (ref=4f1c)"
REAL = {
    "CRM_alert_kind": "fencing",
    "CRM_alert_node": "a1",
    "CRM_alert_task": "st_notify_fence",
    "CRM_alert_desc": DESC,
    "CRM_alert_rc": "0",
    "CRM_alert_timestamp_epoch": "1000",
    "CRM_alert_timestamp": "12:00:00.123",
}
OLD = {**REAL, "CRM_alert_task": "off", "CRM_alert_desc": "it was fenced"}
HUMAN = DESC.replace("by n1 for", "by a human for").replace("controld", "stonith_admin")


def word(**more: str) -> Word | None:
    return word_of({**REAL, **more}, 2000.0)


def test_a_real_alert() -> None:
    reason = f"the cluster powered off node a1: {DESC}"
    assert word() == Word("a1", "Pacemaker", reason, 1000.0)


def test_one_whose_task_is_the_action() -> None:
    found = word_of(OLD, 2000.0)
    assert found is not None
    assert found.reason == "the cluster powered off node a1: it was fenced"


def test_a_persons_word_is_a_persons() -> None:
    found = word(CRM_alert_desc=HUMAN)
    assert found is not None
    assert found.by == "a person, by stonith_admin of Pacemaker"


@pytest.mark.parametrize(
    ("said", "at"), [("1000", 1000.0), ("5000", 2000.0), ("", 2000.0), ("x", 2000.0)]
)
def test_the_time_is_the_alerts_and_never_later_than_now(said: str, at: float) -> None:
    found = word(CRM_alert_timestamp_epoch=said)
    assert found is not None
    assert found.at == at


def test_names_of_nodes() -> None:
    found = word(node_map="b1=compute-2 a1=compute-1 a1=compute-3")
    assert found is not None
    assert found.host == "compute-1"


def test_other_alerts_are_nobodys_word() -> None:
    assert word(CRM_alert_kind="node", CRM_alert_desc="lost") is None
    assert word_of({}, 2000.0) is None


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ({"CRM_alert_rc": "1"}, 0, "fencing failed (1)"),
        ({"CRM_alert_rc": ""}, 0, "fencing failed (no code)"),
        ({"CRM_alert_node": ""}, 1, "no node is named"),
        ({"CRM_alert_desc": DESC.replace(" off ", " reboot ")}, 0, "reboot is no"),
        ({"CRM_alert_desc": DESC.replace(" off ", " on ")}, 0, "on is no power-off"),
        ({"CRM_alert_desc": DESC.replace("of a1", "of a11")}, 1, "is of a11"),
        ({"CRM_alert_desc": DESC.replace("OK", "Error")}, 0, "fencing failed"),
        ({"CRM_alert_desc": DESC.replace("OK", "OKAY")}, 0, "fencing failed"),
        ({"CRM_alert_desc": "off"}, 1, "is not told"),
        ({"CRM_alert_desc": ""}, 1, "is not told"),
        ({"CRM_alert_task": "reboot"}, 0, "reboot is no power-off"),
        ({"CRM_alert_task": "on", "CRM_alert_desc": ""}, 0, "on is no power-off"),
        ({"CRM_alert_task": "", "CRM_alert_desc": ""}, 0, "no action is no power-off"),
    ],
)
def test_what_is_no_proof(more: dict[str, str], code: int, said: str) -> None:
    with pytest.raises(
        NotConfirmed, match=said.replace("(", r"\(").replace(")", r"\)")
    ) as error:
        word(**more)
    assert error.value.code == code


def run(**more: str) -> "subprocess.CompletedProcess[str]":
    """The installed program, as Pacemaker runs it: with hardly an environment."""
    program = str(Path(sys.executable).with_name("nova-ha-pacemaker-alert"))
    env = {"PATH": os.defpath, **REAL, **more}
    return subprocess.run([program], env=env, capture_output=True, text=True)


def test_the_program(tmp_path: Path) -> None:
    done = run(words=str(tmp_path), node_map="a1=compute-1")
    assert (done.returncode, done.stdout) == (0, "")
    assert "compute-1: the trigger on this machine is told" in done.stderr
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["host"] == "compute-1"
    assert file.stat().st_mode & 0o777 == 0o644


def test_where_no_trigger_takes_words(tmp_path: Path) -> None:
    done = run(words=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "nowhere: No such file or directory" in done.stderr
    assert "nova-ha-word" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_imports_nothing_that_takes_long() -> None:
    code = (
        "import sys, nova_ha_scheduler.spool.pacemaker\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*found & {'oslo_config', 'cliff', 'sqlalchemy', 'openstack', 'yaml'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_called_by_hand() -> None:
    """Silence would look like success."""
    done = run(CRM_alert_kind="")
    assert (done.returncode, done.stdout) == (2, "")
    assert "by hand it is nova-ha confirm-fenced HOST" in done.stderr
