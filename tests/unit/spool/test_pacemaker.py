# SPDX-License-Identifier: Apache-2.0
"""What Pacemaker says, as it was recorded, and which of it is a word."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nova_ha_scheduler.spool.pacemaker import NotConfirmed, word_of
from nova_ha_scheduler.spool.word import LENGTHS, Word

REF = "8b499717-931d-45b2-8845-8cd63027f2b4"
BY = "by n1 for pacemaker-controld.46@n2"
DESC = f"Operation off of a1 {BY}: OK (ref={REF})"
# Recorded on Pacemaker 2.1.5 (Debian 12), on each of two cluster nodes: a remote node's
# power was cut. CRM_notify_* hold the same.
REAL = {
    "CRM_alert_kind": "fencing",
    "CRM_alert_node": "a1",
    "CRM_alert_node_sequence": "8",
    "CRM_alert_task": "st_notify_fence",
    "CRM_alert_desc": DESC,
    "CRM_alert_rc": "0",
    "CRM_alert_recipient": "",
    "CRM_alert_timestamp": "05:51:17.039032",
    "CRM_alert_timestamp_epoch": "1000",
    "CRM_alert_timestamp_usec": "039032",
    "CRM_alert_version": "2.1.5",
}

# How Pacemaker's code words a power-off that succeeded, for what it knows and for what
# it does not: by the version that words it so, with the place.
WORDINGS = {
    # crmd/notify.c, crmd_notify_fencing_op
    "1.1.15": "Operation off of a1 by n1 for crmd.2046@n2: OK (ref={})",
    "1.1.15, nobody": "Operation off of a1 by <no-one> for crmd.2046@n2: OK (ref={})",
    # crmd/lrm_state.c, crmd_alert_fencing_op
    "1.1.24, null": "Operation off of a1 by n1 for (null)@n2: OK (ref={})",
    # daemons/controld/controld_execd_state.c, crmd_alert_fencing_op
    "2.0.0": "Operation off of a1 by n1 for pacemaker-controld.46@n2: OK (ref={})",
    "2.1.2": "Operation off of a1 by <no-one> for stonith-api.7@n1: OK (ref={})",
    # lib/fencing/st_client.c, stonith__event_description
    "2.1.3": "Operation off of a1 by the cluster for a client@n2: OK (ref={})",
    "2.1.5": "Operation off of a1 by n1 for a client@a node: OK (ref={})",
    "2.1.11": "Operation off of a1 by n1 for stonith_admin.7@n1: OK (yes) (ref={})",
    "3.0.2": "Operation off of a1 by n1 for pacemaker-controld.46@n2: OK (ref={})",
}

# The same of what is none. Each result stands in pcmk_strerror() or, from 2.1.3 on, in
# pcmk_exec_status_str(), with what the agent said; the others are of no power-off.
FAILED = [
    f"Operation off of a1 {BY}: {result} (ref={REF})"
    for result in (
        "No such device",
        "Timer expired",
        "Generic Pacemaker error",
        "Error",
        "Error (Fence agent exited with 1)",
        "Timed Out (Peer did not return fence result within timeout)",
        "No fence device",
        "Cannot execute now (Fencing operation merged)",
        "NOT SUPPORTED",
        # an agent may say anything
        "Error (OK)",
        "Error: OK",
        f"Error (Operation off of a1 {BY}: OK)",
        f"Error (ref={REF}) by n1 for c@n1: OK",
        "complete",
        "OKAY",
        "Not OK",
        "ok",
        "OK?",
    )
]
OTHER = [
    f"Operation reboot of a1 {BY}: OK (ref={REF})",
    f"Operation on of a1 {BY}: OK (ref={REF})",
    f"Operation (unknown) of a1 {BY}: OK (ref={REF})",
    f"Operation poweroff of a1 {BY}: OK (ref={REF})",
]
NOT_UNDERSTOOD = [
    "",
    "off",
    "it was fenced",
    "Fencing history may have changed",
    "A fencing device (power) was added",
    "A fencing topology level (a1[1]) was removed",
    DESC.replace("Operation", "operation"),
    DESC.replace("of a1", "of no node"),
    DESC.replace("of a1", "of a1 of a1"),
    DESC.replace("off of", "off  of"),
    DESC.replace("by n1", "by a person"),
    DESC.replace("by n1", "by OK for n1"),
    DESC.replace("@n2", "@n2 OK"),
    DESC.replace("@n2", ""),
    DESC.replace(": OK", ""),
    f"Operation off of a1 {BY}: OK",
    f"Operation off of a1 {BY}: OK (ref=(none))",
    f"Operation off of a1 {BY}: OK (ref=../../{REF})",
    f"Operation off of a1 {BY}: OK (ref=)",
    f"{DESC} and more",
    f"More and {DESC}",
    f" {DESC}",
    f"{DESC}\n",
]


def word(**more: str) -> Word | None:
    found = word_of({**REAL, **more}, 2000.0)
    return found and found[0]


def refused(**more: str) -> NotConfirmed:
    with pytest.raises(NotConfirmed) as error:
        word(**more)
    return error.value


def test_a_real_alert() -> None:
    reason = f"the cluster powered off node a1: {DESC}"
    assert word_of(REAL, 2000.0) == (Word("a1", "Pacemaker", reason, 1000.0), REF)


@pytest.mark.parametrize("version", WORDINGS)
def test_every_version_words_it(version: str) -> None:
    found = word(CRM_alert_desc=WORDINGS[version].format(REF))
    assert found is not None
    assert (found.host, found.by) == ("a1", "Pacemaker")


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("stonith_admin.106@n1", "stonith_admin.106 on n1"),
        ("(null)@n1", "(null) on n1"),
    ],
)
def test_a_persons_word_is_a_persons(client: str, name: str) -> None:
    """Recorded on 2.1.5, after stonith_admin --confirm; "a human" in every version."""
    found = word(
        CRM_alert_desc=f"Operation off of a1 by a human for {client}: OK (ref={REF})"
    )
    assert found is not None
    assert found.by == f"a person, by {name}"
    assert found.reason.startswith("confirmed for node a1: Operation off")


@pytest.mark.parametrize("desc", FAILED)
def test_a_fence_that_failed(desc: str) -> None:
    """Also if the exit code were right."""
    error = refused(CRM_alert_desc=desc)
    assert str(error).startswith("a1: fencing failed (")
    assert error.code == 0


@pytest.mark.parametrize("rc", ["1", "-1", "-62", "", "00", "0 ", "OK", "\u0660"])
def test_an_exit_code_that_is_not_0(rc: str) -> None:
    """Also if the description said OK."""
    assert "a1: fencing failed" in str(refused(CRM_alert_rc=rc))


@pytest.mark.parametrize("desc", OTHER)
def test_another_action(desc: str) -> None:
    error = refused(CRM_alert_desc=desc)
    assert " is no power-off: not confirmed" in str(error)
    assert error.code == 0


@pytest.mark.parametrize("desc", NOT_UNDERSTOOD)
def test_what_is_not_understood_wants_a_person(desc: str) -> None:
    error = refused(CRM_alert_desc=desc)
    assert "is not understood" in str(error)
    assert error.code == 1


@pytest.mark.parametrize("task", ["off", "reboot", "", "st_notify_history"])
def test_no_version_has_another_task(task: str) -> None:
    assert "is not understood" in str(refused(CRM_alert_task=task))


@pytest.mark.parametrize(
    "node",
    [
        "a11",
        "A1",
        "a1.example.org",  # as Nova may call it: node_map says so
        "a",
        "a1 ",
        "a1 by n1 for c@n1: OK",
        "OK",
    ],
)
def test_a_description_of_another_node(node: str) -> None:
    error = refused(CRM_alert_node=node)
    assert str(error) == f"{node}: the description is of a1: not confirmed"
    assert error.code == 1


@pytest.mark.parametrize(
    "node", ["a1 a2", "a1 by n1 for c@n1: OK", "OK (ref=12345678)", "a1\n"]
)
def test_names_with_blanks_are_no_names(node: str) -> None:
    """No version lets a node have one."""
    desc = DESC.replace("of a1", f"of {node}")
    assert refused(CRM_alert_node=node, CRM_alert_desc=desc).code == 1


@pytest.mark.parametrize("node", ["OK", "off", "reboot", "by", "a:1", "a1@n2:"])
def test_names_that_are_words_of_the_description(node: str) -> None:
    """One that failed stays one that failed."""
    found = word(CRM_alert_node=node, CRM_alert_desc=DESC.replace("a1", node))
    assert found is not None
    assert found.host == node
    failed = DESC.replace("a1", node).replace(": OK", ": Error")
    refused(CRM_alert_node=node, CRM_alert_desc=failed)


def test_no_node() -> None:
    """Its description says "no node" then."""
    assert refused(CRM_alert_node="").code == 1


@pytest.mark.parametrize(("said", "at"), [("1000", 1000.0), ("5000", 2000.0)])
def test_the_time_is_the_alerts_and_never_later_than_now(said: str, at: float) -> None:
    found = word(CRM_alert_timestamp_epoch=said)
    assert found is not None
    assert found.at == at


@pytest.mark.parametrize("said", ["", "x", "-1", "1e3", "10.5", "\u0661" * 4])
def test_no_time(said: str) -> None:
    """Pacemaker 1.1 says none. The node may be on again since."""
    error = refused(CRM_alert_timestamp_epoch=said)
    assert "does not say when" in str(error)
    assert error.code == 1


def test_names_of_nodes() -> None:
    found = word(node_map="b1=compute-2 a1=compute-1 a1=compute-3")
    assert found is not None
    assert found.host == "compute-1"


@pytest.mark.parametrize("host", ["h" * 256, "h\x1b[2J"])
def test_what_can_be_no_host(host: str) -> None:
    assert "is no name of a host" in str(refused(node_map=f"a1={host}"))


def test_long_names_make_a_word_that_can_be_read() -> None:
    node = "n" * 250
    desc = f"Operation off of {node} by a human for {'c' * 300}@n1: OK (ref={REF})"
    found = word(CRM_alert_node=node, CRM_alert_desc=desc)
    assert found is not None
    assert all(len(getattr(found, name)) <= most for name, most in LENGTHS.items())


@pytest.mark.parametrize("kind", ["node", "resource", "attribute", "Fencing", ""])
def test_other_alerts_are_nobodys_word(kind: str) -> None:
    assert word(CRM_alert_kind=kind) is None
    assert word_of({}, 2000.0) is None


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


def test_the_same_alert_of_each_node_is_one_word(tmp_path: Path) -> None:
    for node in ("n1", "n2"):
        assert run(words=str(tmp_path), CRM_alert_recipient=node).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"{REF}.word"]


def test_where_no_trigger_takes_words(tmp_path: Path) -> None:
    done = run(words=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "nowhere: No such file or directory" in done.stderr
    assert "Pacemaker's user may write there" in done.stderr
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
