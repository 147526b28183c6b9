# SPDX-License-Identifier: Apache-2.0
"""The rhythm of heartbeats, as looks see them."""

from nova_ha_scheduler.cluster.picture import Host, Picture, Scope
from nova_ha_scheduler.evacuation.detection.beats import Beats


def heard(beats: Beats, at: float, **hosts: float) -> None:
    """A look at that time: of each host, its newest heartbeat."""
    shown = {name: Host(name, updated_at=last) for name, last in hosts.items()}
    beats.hear(Picture(at, Scope(), shown))


def steady(until: float, poll: float = 10.0, every: float = 10.0) -> Beats:
    """Two hosts, one of which beats when the other is in the middle."""
    beats, at = Beats(), 1000.0
    while at <= 1000.0 + until:
        one = at - at % every
        heard(beats, at, one=one, other=one - every / 2)
        at += poll
    return beats


def test_a_rhythm_is_learned_from_four_heartbeats() -> None:
    beats = Beats()
    for number in range(3):
        heard(beats, 1000.0 + 10 * number, one=1000.0 + 10 * number)
    heard(beats, 1035.0, one=1020.0, other=1035.0)
    assert beats.due("one") is None
    beats = Beats()
    for number in range(4):
        heard(beats, 1000.0 + 10 * number, one=1000.0 + 10 * number)
    heard(beats, 1041.0, one=1030.0, other=1041.0)
    assert beats.due("one") is None, "a moment late is not missed"
    heard(beats, 1042.0, one=1030.0, other=1042.0)
    assert beats.due("one") == 1040.0
    assert beats.due("one", 2) is None
    heard(beats, 1052.0, one=1030.0, other=1052.0)
    assert beats.due("one", 2) == 1050.0


def test_a_heartbeat_that_a_look_passed_over_changes_no_rhythm() -> None:
    beats = steady(100)
    heard(beats, 1120.0, one=1120.0, other=1115.0)
    heard(beats, 1133.0, one=1120.0, other=1133.0)
    assert beats.due("one") == 1130.0
    assert beats.out_of_step_since("one") is None


def test_looks_that_are_rarer_than_heartbeats() -> None:
    """Then a host is late by what the looks could see."""
    beats = steady(300, poll=30)
    heard(beats, 1331.0, one=1300.0, other=1331.0)
    assert beats.due("one") is None
    heard(beats, 1337.0, one=1300.0, other=1337.0)
    assert beats.due("one") == 1330.0


def test_novas_clock_is_not_this_hosts() -> None:
    """Nova's is 12 seconds behind: nobody is late for that."""
    beats = Beats()
    for number in range(12):
        at = 1000.0 + 10 * number
        heard(beats, at, one=at - 12, other=at - 17)
        assert beats.due("one") is None
        assert beats.due("other") is None
    heard(beats, 1125.0, one=1098.0, other=1113.0)
    assert beats.due("one") == 1108.0


def test_one_out_of_step_is_a_start() -> None:
    beats = steady(100)
    heard(beats, 1118.0, one=1114.0, other=1115.0)
    assert beats.out_of_step_since("one") == 1100.0
    heard(beats, 1119.0, one=1114.0, other=1115.0)
    assert beats.out_of_step_since("one") is None, "it is told once"


def test_those_without_a_rhythm_are_never_out_of_step() -> None:
    beats, last = Beats(), 1000.0
    for number, passed in enumerate([10, 14, 9, 17, 10, 13, 8, 15]):
        last += passed
        heard(beats, 1000.0 + 20 * number, one=last)
        assert beats.out_of_step_since("one") is None
        assert not beats.is_steady("one")


def test_whole_seconds_make_nobody_late() -> None:
    """Nova tells no others; here, heartbeats come every two seconds."""
    beats, at = Beats(), 1000.0
    while at < 1060.0:
        last = (at - 0.95) // 2 * 2 + 0.95
        heard(beats, at, one=float(int(last)))
        assert beats.due("one") is None
        at += 0.25
    heard(beats, 1063.9, one=1058.0, other=1063.9)
    assert beats.due("one") == 1060.0


def test_a_host_that_is_gone_is_forgotten() -> None:
    beats = steady(100)
    heard(beats, 1110.0, other=1110.0)
    assert beats.due("one") is None
    assert not beats.is_steady("one")
