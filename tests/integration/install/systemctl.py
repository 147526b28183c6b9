# SPDX-License-Identifier: Apache-2.0
"""As little of ``systemctl`` as docs/install.md, configure.md and monitoring.md need.

It starts a unit's program as the unit says: the user, its groups, capabilities, the
directories, and the notify socket, on which it waits for READY. What systemd alone can
do, the rest of the hardening, is not done. Needs the standard library alone.
"""

import configparser
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")
PIDS = Path("/run/started")
"""A folder: a file for each unit that runs."""
PROMETHEUS = "prometheus.service"
"""Debian's, which is not installed as a unit: it runs as that would."""
PATIENCE_SECONDS = 120.0
_PLACES = {"State": "var/lib", "Logs": "var/log", "Runtime": "run"}


def main() -> int:
    match sys.argv[1:]:
        case ["daemon-reload"]:
            return _verify()
        case ["enable", "--now", name]:
            return _start(_unit_of(name))
        case ["restart", name]:
            _end(_unit_of(name))
            return _start(_unit_of(name))
        case ["reload", name]:
            os.kill(int((PIDS / _unit_of(name)).read_text()), signal.SIGHUP)
            return 0
        case ["stop"]:
            for pid in PIDS.glob("*"):
                _end(pid.name)
            return 0
    raise SystemExit(f"this is no systemd: {sys.argv[1:]}")


def _unit_of(name: str) -> str:
    return f"{name.removesuffix('.service')}.service"


def _verify() -> int:
    units = map(str, UNITS.glob("nova-ha*.service"))
    command = ["systemd-analyze", "verify", "--man=no", *units]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    sys.stdout.buffer.write(done.stdout)
    return done.returncode or bool(done.stdout)


def _unit(name: str) -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNITS / name)
    return unit["Service"]


def _start(name: str) -> int:
    PIDS.mkdir(exist_ok=True)
    if name == PROMETHEUS:
        return _start_prometheus()
    unit = _unit(name)
    program = shutil.which(unit["ExecStart"])
    assert program, unit["ExecStart"]
    user, group = unit["User"], unit["Group"]
    for kind, place in _PLACES.items():
        path = Path("/", place, unit[f"{kind}Directory"])
        path.mkdir(parents=True, exist_ok=True)
        shutil.chown(path, user, group)
        path.chmod(int(unit[f"{kind}DirectoryMode"], 8))
    capability = unit["AmbientCapabilities"].lower().replace("cap_", "-all,+")
    command = [
        "setpriv", f"--reuid={user}", f"--regid={group}",
        f"--groups={group},{unit['SupplementaryGroups']}", "--no-new-privs",
        f"--inh-caps={capability}", f"--ambient-caps={capability}",
        f"--bounding-set={capability}", program,
    ]  # fmt: skip
    address = "/run/notify-of-the-test"
    Path(address).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(address)
        os.chmod(address, 0o666)
        log = Path("/run/journal-of-the-test")
        with log.open("w") as out:
            started = subprocess.Popen(
                command,
                env={"PATH": os.environ["PATH"], "NOTIFY_SOCKET": address},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                umask=int(unit["UMask"], 8),
                start_new_session=True,
            )
        (PIDS / name).write_text(str(started.pid))
        ready = unit["Type"] == "notify"
        if ready and not _is_ready(notify, started):
            print(log.read_text())
            return 1
    return 0


def _is_ready(notify: socket.socket, started: subprocess.Popen[bytes]) -> bool:
    notify.settimeout(0.5)
    end = time.monotonic() + PATIENCE_SECONDS
    while started.poll() is None and time.monotonic() < end:
        try:
            if b"READY=1" in notify.recv(4096).split(b"\n"):
                return True
        except TimeoutError:
            continue
    return False


def _start_prometheus() -> int:
    config = "--config.file=/etc/prometheus/prometheus.yml"
    ours = Path("/etc/default/prometheus").read_text().split()
    with Path("/run/prometheus-of-the-test").open("w") as out:
        started = subprocess.Popen(
            ["prometheus", config, "--storage.tsdb.path=/var/lib/prometheus", *ours],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    (PIDS / PROMETHEUS).write_text(str(started.pid))
    return 0


def _end(name: str) -> None:
    """Return when it is gone."""
    path = PIDS / name
    if not path.exists():
        return
    pid = int(path.read_text())
    path.unlink()
    os.killpg(pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE_SECONDS
    while Path(f"/proc/{pid}/exe").exists() and time.monotonic() < end:
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
