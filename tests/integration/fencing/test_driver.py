# SPDX-License-Identifier: Apache-2.0
"""A driver of a device: hiccups, refusals, deadlines, and secrets."""

import base64
import html
import json
import pickle
import shlex
import urllib.parse

import pytest

from nova_ha_scheduler.evacuation.interfaces import Power
from nova_ha_scheduler.fencing import (
    Deadlines,
    Driver,
    FenceError,
    FinalError,
)
from nova_ha_scheduler.fencing.config import FenceDevices
from nova_ha_scheduler.fencing.levels import Levels
from nova_ha_scheduler.fencing.secrets import Secret, scrub


class Device:
    """A driver whose device answers from a list."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked_off = 0

    def state(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask_off(self, seconds):
        self.asked_off += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer


def driver_of(device, power_off=1.0):
    class Fake(Driver):
        METHOD = "fake"
        POLL = 0.001

        def prepare(self):
            return "x"

        def connect(self):
            return device

        def state(self, connection):
            return connection.state()

        def ask_off(self, connection, seconds):
            connection.ask_off(seconds)

    return Fake("c1", {}, Deadlines(power_off, 0.1))


def test_a_hiccup_is_survived_and_off_is_asked_once():
    hiccup = FenceError("hiccup")
    device = Device(
        hiccup, Power.ON, None, Power.ON, hiccup, Power.UNKNOWN, Power.ON, Power.OFF
    )
    assert driver_of(device).power_off().power is Power.OFF
    assert device.asked_off == 1


def test_what_a_device_has_answered_last_is_known_meanwhile():
    """And whatever it says is not known any more when the fence has ended."""
    seen = []

    class Watched(Device):
        def state(self):
            seen.append(fences.answers["c1"][1])
            return super().state()

    device = Watched(FenceError("hiccup"), Power.ON, None, Power.ON, Power.OFF)
    fences = FenceDevices("fencing.yaml", {"c1": Levels.of(driver_of(device))})
    assert fences.answers == {}
    for _ in range(2):
        device.answers[4:] = [Power.OFF]
        fences.power_off("c1")
        device.answers = [Power.OFF, None, Power.OFF]
    on = "the device says that its power is on"
    assert seen == ["", "hiccup", on, on, "", ""]
    assert fences.answers == {}


@pytest.mark.parametrize("answer", [None, FenceError("it is off")])
def test_off_is_ordered_even_if_it_is_off(answer):
    """Somebody may be switching it on, or off and on again."""
    device = Device(Power.OFF, answer, Power.OFF)
    report = driver_of(device).power_off()
    assert (report.power, report.detail) == (Power.OFF, "was off already")
    assert device.asked_off == 1
    device = Device(Power.OFF, answer, Power.ON, None, Power.OFF)
    report = driver_of(device).power_off()
    assert report.power is Power.OFF
    assert report.detail.startswith("seen off after")
    assert device.asked_off == 2


def test_a_refused_request_is_repeated():
    device = Device(Power.ON, FenceError("busy"), Power.ON, None, Power.OFF)
    assert driver_of(device).power_off().power is Power.OFF
    assert device.asked_off == 2


def test_a_process_that_stood_still_cuts_no_power_afterwards(monkeypatch):
    """The host may have come back meanwhile, and run its servers."""
    times = iter([0.0, *[600.0] * 5])
    monkeypatch.setattr("nova_ha_scheduler.fencing._now", lambda: next(times))
    device = Device(Power.ON, None, Power.OFF)
    assert driver_of(device).power_off().power is Power.ON
    assert device.asked_off == 0


def test_a_device_that_says_no_at_once_is_looked_at_again(monkeypatch):
    times = iter([0.0, 0.0])
    monkeypatch.setattr("nova_ha_scheduler.fencing._now", lambda: next(times, 5.0))
    assert driver_of(Device(FenceError("closed"), Power.OFF)).power().power is Power.OFF


@pytest.mark.parametrize(
    ("seconds", "answer"), [(5.0, FenceError("late")), (0.0, FinalError("password"))]
)
def test_one_that_takes_long_or_refuses_us_is_not(monkeypatch, seconds, answer):
    times = iter([0.0])
    monkeypatch.setattr("nova_ha_scheduler.fencing._now", lambda: next(times, seconds))
    report = driver_of(Device(answer, Power.OFF)).power()
    assert (report.power, report.detail) == (Power.UNKNOWN, str(answer))


def test_unknown_is_not_off():
    device = Device(Power.UNKNOWN, None, *[Power.UNKNOWN] * 100_000)
    report = driver_of(device, 0.02).power_off()
    assert report.power is Power.UNKNOWN
    assert "asked to power off, but not seen off" in report.detail


def test_a_drivers_bug_leaves_the_host_unfenced():
    device = Device(KeyError("hunter2"))
    report = FenceDevices("f", {"c1": Levels.of(driver_of(device))}).power_off("c1")
    assert report.power is Power.UNKNOWN
    assert report.detail == "broke with KeyError"


def test_a_secret_does_not_show():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_scrubbing_overlapping_secrets():
    assert scrub("a abc ab", [Secret("ab"), Secret("abc")]) == "a *** ***"


SECRET = "S3'CRET&pw\"x /ü"


@pytest.mark.parametrize(
    "said",
    [
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"u:{SECRET}".encode()).decode(),
        base64.b64encode(f"us:{SECRET}".encode()).decode(),
        base64.b64encode(f"usr:{SECRET}\n".encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        urllib.parse.quote(SECRET),
        "S3%27CRET%26pw%22x%20%2f%c3%bc",
        urllib.parse.quote_plus(SECRET),
        repr(SECRET),
        repr(SECRET.encode()),
        json.dumps({"password": SECRET}),
        json.dumps({"password": SECRET}, ensure_ascii=False),
        shlex.join(["--password", SECRET]),
        html.escape(SECRET),
        SECRET.encode().hex(),
    ],
)
def test_a_secret_is_known_in_other_clothes(said):
    found = scrub(f"it said: {said}!", [Secret(SECRET)])
    assert "***" in found
    assert "CRET" not in found
    assert said[6:-6] not in found


def test_scrubbing_leaves_words_alone():
    text = "the device does not answer: abc"
    assert scrub(text, [Secret("xyz"), Secret("'")]) == text
