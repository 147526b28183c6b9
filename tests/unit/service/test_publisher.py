# SPDX-License-Identifier: Apache-2.0
"""The trigger publishes what admission goes by, and nothing waits for that."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from nova_ha_scheduler.admission import published
from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.evacuation.detection import scope
from nova_ha_scheduler.health.troubles import Trouble, Troubles
from nova_ha_scheduler.records.host_recovery import HostPhase, HostRecovery, HostState
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.service import parts, publish, publisher, startup
from nova_ha_scheduler.service.publisher import Publisher
from tests.lib.waiting import wait

WRITES = "import sys; open(sys.argv[1], 'a').write('x')"
SLEEPS = WRITES + "; import time; time.sleep(60)"
FAILS = (
    "import sys; print('a warning\\nthe cloud is away', file=sys.stderr); sys.exit(1)"
)


@contextmanager
def running(
    code: str, file: Path, interval: float, busy: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    program = (sys.executable, "-c", code, str(file))
    one = Publisher(program, interval, busy, Troubles())
    one.start()
    try:
        yield
    finally:
        one.stop()


def count(file: Path) -> int:
    return len(file.read_text()) if file.exists() else 0


def test_it_is_done_at_once_and_again(tmp_path: Path) -> None:
    with running(WRITES, tmp_path / "f", 0.1):
        wait("its turn", lambda: count(tmp_path / "f") >= 2)


def test_by_default_it_is_not_done(tmp_path: Path) -> None:
    with running(WRITES, tmp_path / "f", 0.0):
        time.sleep(0.3)
    assert count(tmp_path / "f") == 0


def test_that_it_fails_is_one_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with running(FAILS, tmp_path / "f", 0.05):
        wait("its turn", lambda: caplog.text.count("the cloud is away") >= 2)
    errors = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    (line,) = errors
    assert line.startswith(
        "What admission goes by cannot be published: the cloud is away. nova-scheduler"
    )


def test_what_hangs_is_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(SLEEPS, tmp_path / "f", 1.0):
        wait("its turn", lambda: "it took longer than 1 s" in caplog.text)
        wait("its turn", lambda: count(tmp_path / "f") >= 2)


def test_it_gives_way_to_a_recovery_for_one_interval(tmp_path: Path) -> None:
    file, busy = tmp_path / "f", [True]
    with running(SLEEPS, file, 60.0, lambda: busy[0]):
        time.sleep(1.2)
        assert count(file) == 0
        busy[0] = False
        wait("its turn", lambda: count(file) == 1)
        busy[0] = True  # what was begun is given up,
        time.sleep(1.2)
        busy[0] = False
        wait("its turn", lambda: count(file) == 2)  # and done when there is time
    with running(WRITES, tmp_path / "g", 1.0, lambda: True):
        wait("its turn", lambda: count(tmp_path / "g") >= 1)


def test_when_a_recovery_is_under_way() -> None:
    def state(**values: object) -> State:
        host = HostRecovery("h@1", "h", HostState.EVACUATING, 1.0)
        return State(hosts={"h@1": replace(host, **values)})  # type: ignore[arg-type]

    assert not scope.busy(State())
    assert scope.busy(state())
    assert scope.busy(state(state=HostState.SUSPECTED))
    assert scope.busy(state(phase=HostPhase.HELD))
    assert not scope.busy(state(phase=HostPhase.PAUSED))
    assert not scope.busy(state(state=HostState.INCOMPLETE))
    assert not scope.busy(state(ended_at=5.0))


# The program itself.


@pytest.fixture
def conf_file(tmp_path: Path) -> Path:
    path = tmp_path / "nova-ha.conf"
    path.write_text(f"[ha_scheduler]\nadmission_file = {tmp_path}/admission.json\n")
    return path


def test_the_program_writes_the_file(
    conf_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = text.load("hosts: {spare: {zone: nfs-a, reserved: true}}")
    monkeypatch.setattr(parts, "cloud", lambda conf: None)
    monkeypatch.setattr(publish.whole, "take", lambda api, clock: picture)
    conf = startup.load("nova-ha-evacuator", [f"--config-file={conf_file}"])
    *_, argument = publisher.command(conf)
    assert publish.main([argument]) == 0
    found = published.load(conf_file.with_name("admission.json").read_text())
    assert [host.name for zone in found.zones for host in zone.reserve] == ["spare"]


def test_the_program_says_why_not(
    conf_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(conf: object) -> None:
        raise CloudUnreachable("keystone does not answer")

    monkeypatch.setattr(parts, "cloud", away)
    assert publish.main([f"--config-file={conf_file}"]) == 1
    assert capsys.readouterr().err == "keystone does not answer\n"
    assert not conf_file.with_name("admission.json").exists()


def test_no_code_of_the_working_directory(tmp_path: Path) -> None:
    """The trigger may have been started anywhere."""
    package = tmp_path / "nova_ha_scheduler"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('not ours')")
    command = [*publisher.PROGRAM, "--help"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert "not ours" not in done.stderr
    assert done.returncode == 0, done.stderr


def test_what_cannot_be_taken_is_a_trouble_and_the_next_one_comes(
    tmp_path: Path,
) -> None:
    def take(printed: str) -> None:
        raise ValueError(f"{printed!r} is no time")

    file, troubles = tmp_path / "f", Troubles()
    program = (sys.executable, "-c", WRITES, str(file))
    one = Publisher(program, 0.1, lambda: False, troubles, take)
    one.start()
    try:
        wait("its turns", lambda: count(file) >= 3)
        (standing,) = troubles.standing()
    finally:
        one.stop()
    assert standing[0] is Trouble.ADMISSION
    assert standing[2] == "'' is no time"
