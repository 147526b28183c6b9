# SPDX-License-Identifier: Apache-2.0
"""As little of ``systemctl`` as docs/install.md and docs/configure.md need.

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
PATIENCE_SECONDS = 120.0
_PLACES = {"State": "var/lib", "Logs": "var/log", "Runtime": "run"}


def main() -> int:
    match sys.argv[1:]:
        case ["daemon-reload"]:
            return _verify()
        case ["enable", "--now", name]:
            return _start(f"{name.removesuffix('.service')}.service")
        case ["stop"]:
            return _stop()
    raise SystemExit(f"this is no systemd: {sys.argv[1:]}")


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
        PIDS.write_text(str(started.pid))
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


def _stop() -> int:
    if PIDS.exists():
        os.killpg(int(PIDS.read_text()), signal.SIGTERM)
    return 0


if __name__ == "__main__":
    sys.exit(main())
