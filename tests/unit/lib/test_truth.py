# SPDX-License-Identifier: Apache-2.0
"""The checker of the tests on real processes can fail, for each rule."""

import copy

import pytest

from tests.lib.stack import truth

ONE, TWO = "server-1", "server-2"
DISK = "/storage/nfs-a"


def _run(at, host, server, **details):
    line = {"at": at, "event": "run", "host": host, "server": server, "disk": DISK}
    return {**line, **details}


def _time(at):
    return f"1970-01-01T00:00:{at:02}Z"


@pytest.fixture
def night():
    """A host dies at 10 and both of its servers go to another, which is right."""
    return {
        "records": {
            "a1": [
                {"at": 1, "event": "boot", "host": "a1"},
                _run(2, "a1", ONE, made=True),
                _run(3, "a1", TWO, made=True),
            ],
            "a2": [
                _run(12, "a2", ONE, rebuilt=True),
                _run(13, "a2", TWO, rebuilt=True),
            ],
        },
        "switched": [
            {"at": 0, "event": "on", "host": "a1"},
            {"at": 10, "event": "off", "host": "a1"},
        ],
        "history": [
            {
                "recovery": "a1-1",
                "host": "a1",
                "began": _time(10),
                "ended": None,
                "under_way": 0,
                "servers": [
                    {
                        "server": server,
                        "from": "a1",
                        "to": "a2",
                        "outcome": "recovered",
                        "reason": "",
                    }
                    for server in (ONE, TWO)
                ],
                "events": [
                    {"kind": "host.fenced", "at": _time(11)},
                    *(
                        {"kind": "server.asked", "server": server, "at": _time(11)}
                        for server in (ONE, TWO)
                    ),
                ],
            }
        ],
    }


def _breaches(night, **details):
    found = truth.facts(night["records"], night["switched"])
    return truth.breaches(found, night["history"], {ONE, TWO}, **details)


def test_a_good_night(night):
    assert _breaches(night) == []


def _alive(night):
    del night["switched"][1]


def _off_too_late(night):
    night["switched"][1]["at"] = 12.5


def _on_again(night):
    night["switched"].append({"at": 11.5, "event": "on", "host": "a1"})


def _on_again_and_running(night):
    night["switched"].append({"at": 20, "event": "on", "host": "a1"})
    night["records"]["a1"].append(_run(21, "a1", ONE))


def _asked_early(night):
    night["history"][0]["events"][1]["at"] = _time(8)


def _fenced_late(night):
    night["history"][0]["events"][0]["at"] = _time(12)


def _told_of_another_death(night):
    night["history"][0]["ended"] = _time(9)


def _no_proof(night):
    del night["history"][0]["events"][0]


def _other_disk(night):
    night["records"]["a2"][0]["disk"] = "/storage/nfs-b"


def _new_disk(night):
    night["records"]["a2"][1]["made"] = True


def _twice(night):
    night["records"]["a2"].append(_run(14, "a2", ONE, rebuilt=True))


def _twice_elsewhere(night):
    night["records"]["a3"] = [_run(14, "a3", ONE, rebuilt=True)]


def _forgotten(night):
    del night["records"]["a2"][1]
    del night["history"][0]["servers"][1]


def _never_came(night):
    del night["records"]["a2"][0]


def _gone_after_all(night):
    night["switched"].append({"at": 30, "event": "off", "host": "a2"})


def _not_told(night):
    del night["history"][0]["servers"][1]


def _wrong_host_told(night):
    night["history"][0]["servers"][0]["to"] = "a3"


def _no_end(night):
    night["history"][0]["under_way"] = 1


def _no_end_of_a_server(night):
    night["history"][0]["servers"][0]["outcome"] = "moving"


def _no_reason(night):
    night["history"][0]["servers"][0]["outcome"] = "failed"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (_alive, "a1 and a2 at once"),
        (_alive, "a1 had power"),
        (_off_too_late, "server-1 ran on a1 and a2 at once"),
        (_on_again, "evacuated to a2, and a1 had power"),
        (_on_again_and_running, "server-1 ran on a2 and a1 at once"),
        (_asked_early, "server-1: asked to leave a1, which had power"),
        (_no_proof, "without a proof"),
        (_fenced_late, "server-2 was evacuated without a proof"),
        (_told_of_another_death, "server-1 left a1; the history does not know"),
        (_told_of_another_death, "server-1 never came up on a2"),
        (_other_disk, "server-1 ran on a2 with a disk in /storage/nfs-b"),
        (_new_disk, "server-2 lost its disk"),
        (_twice, "server-1 was evacuated to a2 twice"),
        (_twice_elsewhere, "server-1 was evacuated to a3, and a2 had power"),
        (_forgotten, "server-2 was on a1 when it died, and is forgotten"),
        (_gone_after_all, "server-1 was on a2 when it died, and is forgotten"),
        (_never_came, "server-1 is called recovered, and is nowhere"),
        (_not_told, "server-2 left a1; the history does not know"),
        (_wrong_host_told, "server-1 never came up on a3"),
        (_no_end, "a1-1 has not ended"),
        (_no_end_of_a_server, "server-1 of a1 is still moving"),
        (_no_reason, "the history has no reason"),
    ],
)
def test_it_finds(night, wrong, words):
    night = copy.deepcopy(night)
    wrong(night)
    assert any(words in breach for breach in _breaches(night)), _breaches(night)


def test_a_server_that_its_owner_has_deleted_is_not_missed(night):
    _forgotten(night)
    assert _breaches(night, deleted={TWO}) == []


def test_what_is_said_of_a_death_holds_until_the_next(night):
    _gone_after_all(night)
    night["records"]["a3"] = [_run(33, "a3", each, rebuilt=True) for each in (ONE, TWO)]
    again = copy.deepcopy(night["history"][0])
    again |= {"recovery": "a2-1", "host": "a2", "began": _time(31)}
    for row in again["servers"]:
        row |= {"from": "a2", "to": "a3"}
    for event in again["events"]:
        event["at"] = _time(32)
    night["history"].append(again)
    night["history"][0]["ended"] = _time(20)
    assert _breaches(night) == []
    for row in again["servers"]:
        row |= {"outcome": "failed", "reason": "its owner resizes it", "to": None}
    del night["records"]["a3"]
    assert _breaches(night) == []


def test_a_host_that_comes_back_by_itself_forgets_nobody(night):
    night["records"]["a2"], night["history"] = [], []
    night["switched"].append({"at": 11, "event": "on", "host": "a1"})
    night["records"]["a1"] += [_run(12, "a1", ONE), _run(12, "a1", TWO)]
    assert _breaches(night) == []


def test_a_host_that_came_back_early(night):
    _on_again(night)
    assert _breaches(night, early={"a1"}) == []
    night["records"]["a1"].append(_run(14, "a1", TWO))
    assert "server-2 ran on a2 and a1 at once" in _breaches(night, early={"a1"})


def test_a_host_that_was_never_off_is_not_early(night):
    _alive(night)
    words = "server-1 was evacuated to a2, and a1 had power"
    assert words in _breaches(night, early={"a1"})


def test_each_death_of_a_host_has_its_own_recovery(night):
    night["switched"].append({"at": 30, "event": "on", "host": "a1"})
    night["records"]["a1"].append(_run(31, "a1", "server-3", made=True))
    night["history"][0]["ended"] = _time(32)
    night["switched"].append({"at": 40, "event": "off", "host": "a1"})
    found = truth.facts(night["records"], night["switched"])
    words = "server-3 was on a1 when it died, and is forgotten"
    assert truth.breaches(found, night["history"], {"server-3"}) == [words]
