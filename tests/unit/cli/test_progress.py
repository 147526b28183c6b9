# SPDX-License-Identifier: Apache-2.0
"""What takes long says so on a terminal, and nowhere else."""

import threading
from pathlib import Path

import pytest

from nova_ha_scheduler.cli import progress
from tests.lib.waiting import PATIENCE
from tests.unit import commandline
from tests.unit.cli.conftest import Site

CLEAR = "\r\033[K"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "is_seen", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")


@pytest.mark.usefixtures("terminal")
def test_it_is_drawn_again_and_taken_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "AFTER", 0.01)
    monkeypatch.setattr(progress, "_EVERY", 0.01)
    looked, twice = [], threading.Event()

    def words() -> str:
        looked.append(1)
        if len(looked) > 2:
            twice.set()
        return f"step {len(looked)}"

    with progress.shown(words):
        assert twice.wait(PATIENCE)
    said = capsys.readouterr().err
    assert said.startswith(f"{CLEAR}step 1 (0 s){CLEAR}step 2 (0 s)")
    assert said.endswith(CLEAR)


@pytest.mark.usefixtures("terminal")
def test_what_is_soon_done_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown(lambda: "step"):
        pass
    assert "step" not in capsys.readouterr().err


@pytest.mark.usefixtures("terminal")
def test_it_fits_and_leaves_the_line_to_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "AFTER", 0)
    words = ["a long path " * 20]
    with progress.shown(lambda: words[0]):
        words[0] = ""
    (line,) = capsys.readouterr().err.split(CLEAR)[1:]
    assert len(line) == 39


def test_never_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "AFTER", 0)
    with progress.shown(lambda: pytest.fail("nobody looks")):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("capacity --synthetic", "Making plans: 0 zones are done"),
        ("simulate --kill zone1-host1 --synthetic", "Playing it: second 0"),
        ("plan node1", "Asking the cloud"),
        ("explain web1", "Asking the cloud"),
        ("host list", "Asking the cloud"),
        ("status", "Asking the cloud"),
        ("pause node1 --by A --reason x", "Asking the cloud"),
        ("history list --host node1", "Asking the cloud"),
        ("capacity", "Asking the cloud"),
        (f"snapshot {Path('kept.json')}", "Asking the cloud"),
    ],
)
def test_commands_that_take_long(
    site: Site, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    monkeypatch.setattr(progress, "AFTER", 0)
    more = ("2 zones of 3 hosts of 8 vCPU, 32 GiB",) if "--syn" in command else ()
    assert words[:30] in site.run(*command.split(), *more, "--max-width", "70").err


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("command", ["abort", "confirm-fenced"])
def test_waiting_for_a_trigger(
    site: Site, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """One that holds the lease, and does not answer."""
    monkeypatch.setattr(progress, "AFTER", 0)
    monkeypatch.setattr("nova_ha_scheduler.cli.answers.WAIT_SECONDS", 0.3)
    assert site.journal.acquire()
    said: commandline.Answer = site.run(command, "n1", "--by", "A", "--reason", "x")
    assert said.code == 5
    assert "Waiting for the trigger" in said.err
