# SPDX-License-Identifier: Apache-2.0
"""What stays up with --keep: the cloud, its BMCs, and a trigger that protects it.

A test types what is told (told.TOLD), as a person does in another terminal.
"""

import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo import control, layout, trigger
from demo.control import Unable
from demo.story import Scene
from demo.told import DOWN_TIME, TOLD, VICTIM
from tests.lib import redfish, rig
from tests.lib.cloud.config import CLOUD_NAME, Conf, merge

_ORDERS = {"kill-host": "kill", "revive-host": "revive", "end-demo": "end"}
_REPOSITORY = Path(__file__).parents[1]

_GUARD: Conf = {"guard": {"window": 60, "cooldown": 60}}
"""So small a cloud may lose one host in a window: nobody who plays waits an hour."""


def stay(scene: Scene, folder: Path) -> None:
    """Tell how to play, and stay up until somebody says that it is over."""
    folder.mkdir()
    over = threading.Event()
    with _trigger(scene, folder) as bmcs:
        orders = _Orders(scene, bmcs, over)
        socket = folder / "control"
        env = _programs(folder, socket, scene.cloud.clouds_yaml)
        _load(scene)
        with control.listening(socket, orders.known(), last="end"):
            _tell(scene, folder, env)
            over.wait()


@contextmanager
def _trigger(scene: Scene, folder: Path) -> Iterator[redfish.Bmcs]:
    scene.cloud.restart_scheduler()
    in_repair = trigger.disable_the_dead(scene)
    conf = merge(trigger.CONF, _GUARD)
    rigged = rig.Trigger(folder, scene.cloud.clouds_yaml, conf)
    with redfish.bmcs(folder, layout.PROTECTED, off=in_repair) as bmcs:
        bmcs.fencing_file(rigged.fencing_file)
        with rigged.running():
            yield bmcs


class _Orders:
    """What a person does to hosts."""

    def __init__(self, scene: Scene, bmcs: redfish.Bmcs, over: threading.Event) -> None:
        self._cloud, self._bmcs, self._over = scene.cloud, bmcs, over

    def known(self) -> dict[str, control.Order]:
        return {"kill": self.kill, "revive": self.revive, "end": self.end}

    def kill(self, host: str) -> str:
        self._require(host)
        if not self._cloud.is_running(host):
            raise Unable(f"{host} is dead already")
        self._cloud.crash(host)
        fate = (
            f"Nova calls it down after {DOWN_TIME} s of silence"
            if host in layout.PROTECTED
            else "it is not protected (ha=true), so the trigger leaves it alone"
        )
        return f"{host} is frozen; {fate}."

    def revive(self, host: str) -> str:
        self._require(host)
        if self._cloud.is_running(host):
            raise Unable(f"{host} is running")
        if host in layout.PROTECTED:
            self._bmcs.switch_on(host)
        self._cloud.revive(host)
        return f"{host} is switched on, and its nova-compute starts."

    def end(self) -> str:
        self._over.set()
        return "The demo ends."

    @staticmethod
    def _require(host: str) -> None:
        if host not in layout.HOSTS:
            raise Unable(f"there is no host {host}; there are {' '.join(layout.HOSTS)}")


def _load(scene: Scene) -> None:
    """The victim has servers to lose."""
    for name in ("pet-1", "pet-2"):
        scene.admin.boot(name, "ha", VICTIM)


def _programs(folder: Path, socket: Path, clouds_yaml: Path) -> Path:
    """Write the commands, and the file that makes a shell find them."""
    programs = folder / "bin"
    programs.mkdir()
    python = Path(sys.executable)
    lines = {
        name: f"PYTHONPATH={shlex.quote(str(_REPOSITORY))} exec {python} "
        f"-m demo.control {shlex.quote(str(socket))} {order}"
        for name, order in _ORDERS.items()
    }
    conf = shlex.quote(f"--config-file={folder / 'nova-ha.conf'}")
    lines["nova-ha"] = f"exec {python.with_name('nova-ha')} {conf}"
    for name, line in lines.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\n{line} "$@"\n')
        program.chmod(0o755)
    env = folder / "env"
    env.write_text(
        f"export PATH={programs}:{python.parent}:$PATH\n"
        f"export OS_CLIENT_CONFIG_FILE={clouds_yaml} OS_CLOUD={CLOUD_NAME}\n"
        "export PYTHONWARNINGS=ignore\n"
    )
    return env


def _tell(scene: Scene, folder: Path, env: Path) -> None:
    tell = scene.tell
    tell.title("\nA playground: it stays up until you end it. In another terminal:")
    tell.command("Find its commands:", f". {env}")
    for what, command in TOLD:
        tell.command(what, command)
    tell.say("")
    tell.say(
        f"nova-ha.conf, fencing.yaml, the journal and the trigger's log: {folder}. "
        f"Nova's log: {scene.cloud.log_file}. Ctrl-C here ends all of it, too."
    )
