# SPDX-License-Identifier: Apache-2.0
"""What stays up with --keep: the cloud, its BMCs, and a trigger that protects it.

A test types what is told (told.TOLD), as a person does in another terminal.
"""

import contextlib
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
from nova_ha_scheduler.rules import vocabulary
from tests.lib import ports, redfish, rig
from tests.lib.cloud.config import CLOUD_NAME, Conf, merge
from tests.lib.cloud.stubs import IMAGES
from tests.lib.processes import Process

_ORDERS = {
    "kill-host": ("kill", "HOST"),
    "revive-host": ("revive", "HOST"),
    "change-bmc-password": ("password", "NEW"),
    "stop-trigger": ("stop", "-"),
    "start-trigger": ("start", "-"),
    "end-demo": ("end", "-"),
}
"""By program: its order, and what it wants to be told; "-": nothing."""

_REPOSITORY = Path(__file__).parents[1]

_GUARD: Conf = {"guard": {"window": 60, "cooldown": 60}}
"""So small a cloud may lose one host in a window: nobody who plays waits an hour."""


def stay(scene: Scene, folder: Path) -> None:
    """Tell how to play, and stay up until somebody says that it is over."""
    folder.mkdir()
    over = threading.Event()
    with _trigger(scene, folder) as (service, bmcs):
        orders = _Orders(scene, service, bmcs, over)
        socket = folder / "control"
        env = _programs(folder, socket, scene.cloud.clouds_yaml)
        _load(scene)
        with control.listening(socket, orders.known(), last="end"):
            _tell(scene, folder, env, service.page)
            over.wait()


class _Service:
    """The trigger, which a person may stop and start.

    :ivar page: where it shows how it is.
    """

    def __init__(self, scene: Scene, folder: Path) -> None:
        port = ports.free_port()
        self.page = f"http://127.0.0.1:{port}/"
        conf = merge(trigger.CONF, {**_GUARD, "health": {"port": port}})
        self.rigged = rig.Trigger(folder, scene.cloud.clouds_yaml, conf)
        self._running: contextlib.ExitStack | None = None
        self._process: Process | None = None

    def start(self) -> None:
        """Also after it was killed."""
        if self._process and self._process.alive:
            raise Unable("the trigger runs already")
        with contextlib.suppress(Unable):
            self.stop()
        with contextlib.ExitStack() as running:
            self._process = running.enter_context(self.rigged.running())
            self._running = running.pop_all()

    def stop(self) -> None:
        if not self._running:
            raise Unable("the trigger does not run")
        self._running.close()
        self._running = None


@contextmanager
def _trigger(scene: Scene, folder: Path) -> Iterator[tuple[_Service, redfish.Bmcs]]:
    scene.cloud.restart_scheduler()
    in_repair = trigger.disable_the_dead(scene)
    service = _Service(scene, folder)
    with redfish.bmcs(folder, layout.HOSTS, off=in_repair) as bmcs:
        bmcs.fencing_file(service.rigged.fencing_file)
        service.start()
        try:
            yield service, bmcs
        finally:
            with contextlib.suppress(Unable):
                service.stop()


class _Orders:
    """What a person does to hosts, their BMCs and the trigger."""

    def __init__(
        self,
        scene: Scene,
        service: _Service,
        bmcs: redfish.Bmcs,
        over: threading.Event,
    ) -> None:
        self._cloud, self._admin = scene.cloud, scene.admin
        self._service, self._bmcs, self._over = service, bmcs, over

    def known(self) -> dict[str, control.Order]:
        return {
            "kill": self.kill,
            "revive": self.revive,
            "password": self.password,
            "stop": self.stop,
            "start": self.start,
            "end": self.end,
        }

    def kill(self, host: str) -> str:
        self._require(host)
        if not self._cloud.is_running(host):
            raise Unable(f"{host} is dead already")
        self._cloud.crash(host)
        fate = (
            f"Nova calls it down after {DOWN_TIME} s of silence"
            if self._is_protected(host)
            else "it is not protected (ha=true), so the trigger leaves it alone"
        )
        return f"{host} is frozen; {fate}."

    def revive(self, host: str) -> str:
        self._require(host)
        if self._cloud.is_running(host):
            raise Unable(f"{host} is running")
        self._bmcs.switch_on(host)
        self._cloud.revive(host)
        return f"{host} is switched on, and its nova-compute starts."

    def password(self, *words: str) -> str:
        new, file = " ".join(words), self._service.rigged.fencing_file
        self._bmcs.change_password(new)
        return f"The BMCs take {new} and nothing else. {file} still has the old one."

    def stop(self) -> str:
        self._service.stop()
        return "The trigger is stopped. Nobody recovers a host now."

    def start(self) -> str:
        self._service.start()
        return "The trigger runs again."

    def end(self) -> str:
        self._over.set()
        return "The demo ends. Its journal and its logs are deleted."

    def _is_protected(self, host: str) -> bool:
        """By the tags of now: whoever plays may have changed them."""
        aggregates = self._admin.compute.aggregates()
        tags = [a.metadata or {} for a in aggregates if host in (a.hosts or ())]
        return any(vocabulary.boolean(tag, vocabulary.HA) for tag in tags)

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
        f"-m demo.control {shlex.quote(str(socket))} {name} {order} {wants}"
        for name, (order, wants) in _ORDERS.items()
    }
    conf = folder / "nova-ha.conf"
    for name, option in (
        ("nova-ha", "--config-file"),
        ("openstack", "--nova-ha-config-file"),  # openstack ha ...
    ):
        lines[name] = f"exec {python.with_name(name)} {option}={shlex.quote(str(conf))}"
    for name, line in lines.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\n{line} "$@"\n')
        program.chmod(0o755)
    env = folder / "env"
    env.write_text(
        f"export PATH={programs}:{python.parent}:$PATH\n"
        f"export OS_CLIENT_CONFIG_FILE={clouds_yaml} OS_CLOUD={CLOUD_NAME}\n"
        "export PYTHONWARNINGS=ignore\n"
        f"export NOVA_HA_FENCING={folder / 'fencing.yaml'}\n"
    )
    return env


def _tell(scene: Scene, folder: Path, env: Path, page: str) -> None:
    tell = scene.tell
    tell.title("\nA playground: it stays up until you end it. In another terminal:")
    tell.command("Find its commands:", f". {env}")
    for what, command in TOLD:
        tell.command(what, command)
    tell.say("")
    tell.say(
        f"nova-ha.conf, fencing.yaml, the journal and the trigger's log: {folder}. "
        f"Nova's log: {scene.cloud.log_file}; its nova.conf is beside that, with short "
        "times that a cloud should not have. The trigger's page and metrics: "
        f"{page}. More to play with: stop-trigger and start-trigger (elsewhere: "
        "systemctl stop, start nova-ha-evacuator), change-bmc-password NEW. Ctrl-C "
        "here ends all of it, too."
    )
    tell.say(
        "Boot a server: openstack --os-compute-api-version 2.96 server create --flavor "
        f"ha --image {IMAGES['first']} --nic none --host {VICTIM} NAME"
    )
