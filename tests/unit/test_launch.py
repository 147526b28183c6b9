# SPDX-License-Identifier: Apache-2.0
"""What is said where the extra of the trigger is not, or not all, installed."""

import gc
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from nova_ha_scheduler import launch
from nova_ha_scheduler.cli.app import _Entry


def _install(folder: Path, name: str, version: str, *requires: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    lines = [f"Requires-Dist: {line}\n" for line in requires]
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(text + "".join(lines))


@pytest.mark.parametrize(
    ("line", "lacks"),
    [
        ("here>=1; extra == 'x'", []),
        ("gone>=1; extra == 'x'", ["gone"]),
        ("here>=2; extra == 'x'", ["here>=2 (1.5 is)"]),
        ("here<1; extra == 'x'", ["here<1 (1.5 is)"]),
        ("here[more]>=1; extra == 'x'", ["of-more"]),
        ("gone; extra == 'x' and python_version < '3'", []),
        ("gone; extra == 'other'", []),
        ("gone", []),  # pip would not have installed the project
    ],
)
def test_lacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, lacks: list[str]
) -> None:
    _install(tmp_path, "project", "1.0", line)
    _install(tmp_path, "here", "1.5", "of-more>=3; extra == 'more'")
    monkeypatch.syspath_prepend(tmp_path)
    assert launch.lacking("project", "x") == lacks


def test_nothing_is_lacking_here() -> None:
    assert launch.lacking("nova-ha-scheduler", "evacuator") == []


def _fails(error: Exception) -> None:
    with launch.complete("nova-ha"):
        raise error


def test_a_lack_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launch, "lacking", lambda *_: ["cliff", "sushy"])
    with pytest.raises(SystemExit) as end:
        _fails(ModuleNotFoundError("No module named 'cliff'"))
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "nova-ha: not installed: cliff, sushy. Install what it needs: "
        "pip install 'nova-ha-scheduler[evacuator]'\n"
    )


@pytest.mark.parametrize(
    ("prog", "command", "code"),
    [("nova-ha", "health", 3), ("nova-ha", "status", 2), ("nova-ha-evacuator", "", 2)],
)
def test_to_monitoring_a_lack_is_no_alarm(
    monkeypatch: pytest.MonkeyPatch, prog: str, command: str, code: int
) -> None:
    monkeypatch.setattr(launch, "lacking", lambda *_: ["cliff"])
    monkeypatch.setattr("sys.argv", [prog, command])
    with pytest.raises(SystemExit) as end, launch.complete(prog):
        raise ModuleNotFoundError("No module named 'cliff'")
    assert end.value.code == code


def test_without_arguments_there_is_help() -> None:
    """And no prompt."""
    done = subprocess.run(
        [sys.executable, "-m", "nova_ha_scheduler.cli.app"],
        env={**os.environ, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Commands:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(ModuleNotFoundError, match="itself"):
        _fails(ModuleNotFoundError("of the program itself"))


def test_a_command_that_cannot_be_imported_is_no_unknown_command() -> None:
    """cliff takes a ValueError for that, and suggests the command's own name."""

    class Broken:
        value = "module:Command"

        def load(self) -> None:
            raise ValueError("Unknown backend: 'threading'")

    with pytest.raises(ImportError, match="module:Command: Unknown backend"):
        _Entry(Broken()).load()  # type: ignore[arg-type]


def test_ctrl_c_while_it_is_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def import_module(name: str) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", import_module)
    assert launch.nova_ha() == 130
    gc.enable()
    assert capsys.readouterr().err == ""
