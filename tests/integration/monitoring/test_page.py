# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser, at a desk and on a telephone, during a power cut."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.lib import night as nights
from tests.lib.browser import DESK, TELEPHONE, Browser, browser
from tests.lib.night import IN_THE_MIDDLE, MARKUP, MORNING, RIGHT_TO_LEFT, Night
from tests.lib.waiting import BUSY

PROMISED = BUSY * 2.0
"""Seconds from what is told to what is to be read."""

OLD = 10.0


@pytest.fixture(scope="module")
def watched() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def night() -> Iterator[Night]:
    found = Night()
    yield found
    found.close()


def show(watched: Browser, night: Night, device: Mapping[str, Any] = DESK) -> None:
    watched.look(device)
    watched.open(night.url)
    nights.is_fresh(watched)


def reads(watched: Browser, words: str) -> float:
    """How many seconds it takes until they are to be read."""
    begun = time.monotonic()
    watched.wait(f"document.body.innerText.includes({words!r})")
    return time.monotonic() - begun


def test_a_power_cut_from_its_beginning_to_its_end(
    watched: Browser, night: Night
) -> None:
    """Whoever has the page open sees it without a hand's turn."""
    show(watched, night)
    assert watched.text.startswith("Armed\n\n12 hosts, cloud seen")
    assert "None is open." in watched.text
    night.play(IN_THE_MIDDLE)
    assert reads(watched, "2 of 9 servers recovered") < PROMISED
    text = watched.text
    assert text.startswith("Armed, but something needs you\n\ncompute-7 looks dead")
    assert "Proof of death: power-off observed by redfish" in text
    assert "3 waiting: db-7, db-8, db-9" in text
    assert "nova-ha confirm-fenced compute-7 --by NAME --reason TEXT" in text
    assert "by alice: new memory" in text
    assert "1 failure tolerated" in text
    assert "Reserve: 1 free, 0 in use, 0 down" in text
    assert watched.run("document.querySelectorAll('.row').length") == 20
    night.go_on(MORNING - IN_THE_MIDDLE)
    night.script.work_out()
    night.tell()
    assert reads(watched, "9 of 9 servers recovered") < PROMISED
    assert reads(watched, "Reserve: 0 free, 1 in use, 0 down") < PROMISED


def test_its_parts_stand_in_their_order(watched: Browser, night: Night) -> None:
    night.play(IN_THE_MIDDLE)
    show(watched, night)
    found = watched.run("[...document.querySelectorAll('h2')].map(h => h.textContent)")
    assert [title.split("?")[0] for title in found] == [
        "Recoveries",
        "What needs a person",
        "Would the next failure be survived",
        "Maintenances",
        "Last events",
    ]


@pytest.mark.parametrize("device", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_whatever_tenants_call_their_servers(
    watched: Browser, device: Mapping[str, Any]
) -> None:
    cluster = {
        "hosts": {"node1..node2": {"zone": "nfs-a", "room": 4}},
        "servers": {
            MARKUP: {"host": "node1"},
            RIGHT_TO_LEFT: {"host": "node1"},
            "<img src=x onerror=\"document.title='x'\">": {"host": "node1"},
            "W" * 250: {"host": "node1"},
            **{f"other-{n}": {"host": "node2"} for n in range(4)},
        },
    }
    night = Night(cluster)
    night.play(100, "at 20 power off node1\nat {end} end")
    show(watched, night, device)
    text = watched.text
    for name in cluster["servers"]:
        assert name in text or name.startswith("other-"), name
    assert watched.run("document.title") != "x"
    assert watched.run("document.querySelectorAll('script').length") == 1
    assert watched.run("document.querySelectorAll('img').length") == 0
    wide, window = watched.run("[document.documentElement.scrollWidth, innerWidth]")
    assert window == device["width"]
    assert wide <= window, "it has to be moved sideways"
    night.close()


def test_what_is_old_is_grey(watched: Browser, night: Night) -> None:
    """The port answers, and what it says does not change; then nobody is there."""
    show(watched, night)
    assert watched.run("document.getElementById('late').hidden")
    begun = time.monotonic()
    watched.wait("document.body.classList.contains('old')")
    assert time.monotonic() - begun >= OLD - 2
    assert reads(watched, "What you see is") < PROMISED
    grey = "getComputedStyle(document.querySelector('main')).filter"
    assert watched.run(grey) == "grayscale(1)"
    night.go_on(5)
    nights.is_fresh(watched)
    assert watched.run(grey) == "none"
    night.close()
    assert reads(watched, "The trigger of this address does not answer.") < 10


def test_nothing_can_be_ordered(watched: Browser, night: Night) -> None:
    night.play(IN_THE_MIDDLE)
    show(watched, night)
    parts = "a, button, form, input, select, textarea, iframe"
    assert watched.run(f"document.querySelectorAll('{parts}').length") == 0
    asked = "performance.getEntriesByType('resource').map(entry => entry.name)"
    assert set(watched.run(asked)) == {f"{night.url}status.json"}


def test_a_command_is_marked_as_a_whole_and_stays_marked(
    watched: Browser, night: Night
) -> None:
    """While it is read, the page goes on; who marks a command does not lose it."""
    night.play(IN_THE_MIDDLE)
    show(watched, night)
    watched.run("getSelection().selectAllChildren(document.querySelector('code'))")
    night.go_on(5)
    assert reads(watched, "cloud seen 03:09:02") < PROMISED
    assert watched.run("getSelection().toString().trim()") == (
        "nova-ha confirm-fenced compute-7 --by NAME --reason TEXT"
    )


def test_dark_and_light(watched: Browser, night: Night) -> None:
    show(watched, night)
    back = "getComputedStyle(document.body).backgroundColor"
    light = watched.run(back)
    watched.look(DESK, dark=True)
    assert watched.run(back) != light
