# SPDX-License-Identifier: Apache-2.0
"""Two cluster nodes, two remote nodes, a switch that joins them, and their power."""

import contextlib
import os
import re
import secrets
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lib import packages
from tests.lib.errors import ProgramError
from tests.lib.processes import Process
from tests.lib.waiting import PATIENCE, wait

CLUSTER = {"n1": "10.9.0.1", "n2": "10.9.0.2"}
REMOTE = {"a1": "10.9.0.11", "a2": "10.9.0.12"}
ADDRESSES = CLUSTER | REMOTE

_WORDS = "var/spool/nova-ha-scheduler/words"
_LOG = "var/log/pacemaker/pacemaker.log"

_HERE = Path(__file__).parent
_REPOSITORY = _HERE.parents[2]

_REMOTED = _REPOSITORY / ".packages/pacemaker-remote/usr/sbin/pacemaker-remoted"
"""pacemaker-remote conflicts with pacemaker as a package; its program does not."""

_NEEDED = {
    "pacemakerd": "pacemaker",
    "crm_mon": "pacemaker-cli-utils",
    "corosync": "corosync",
    "ip": "iproute2",
    "systemd-tmpfiles": "systemd",
}

_REMOTE = """<primitive id="{0}" class="ocf" provider="pacemaker" type="remote">
<instance_attributes id="{0}-i"><nvpair id="{0}-1" name="server" value="{1}"/>
<nvpair id="{0}-2" name="reconnect_interval" value="2s"/></instance_attributes>
<operations><op id="{0}-m" name="monitor" interval="2s" timeout="5s"/></operations>
</primitive>"""

_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""So does what is started: when the thread that has started it ends."""

_ENV = {"PATH": f"{os.environ.get('PATH', os.defpath)}:{packages.SBIN}", "LC_ALL": "C"}


@dataclass
class _Node:
    """:ivar pid: of its first process."""

    process: Process
    pid: int


class _Asked(socketserver.StreamRequestHandler):
    """What the fence agent asks the power switch: ``ACTION NODE``."""

    server: "_Switch"

    def handle(self) -> None:
        action, name = self.rfile.readline().decode().split()
        cluster = self.server.cluster
        cluster.asked.append((action, name))
        if name in cluster.broken:
            answer = "broken"
        else:
            if action in ("off", "reboot"):
                cluster.cut(name)
            answer = "on" if cluster.is_on(name) else "off"
        self.wfile.write(f"{answer}\n".encode())


class _Switch(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    cluster: "Cluster"


class Cluster:
    """:ivar broken: nodes whose power the switch cannot switch.
    :ivar asked: what it was asked for, with the node."""

    def __init__(self, folder: Path, node_map: str = "") -> None:
        """:param node_map: an attribute of the alert.
        :raises ProgramError: a program is missing; it names the package."""
        for name, package in _NEEDED.items():
            packages.find(name, package)
        if not _REMOTED.exists():
            raise ProgramError(f"{_REMOTED} is needed: make packages")
        self._folder = folder
        self._nodes: dict[str, _Node] = {}
        self._lock = threading.Lock()
        self._cables = 0
        self.broken: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self._write_files(node_map)
        net = [*_ENDS_WITH_US, "unshare", "--net", "sleep", "infinity"]
        self._net = Process(net, folder / "net.log", _ENV)
        self._switch = _Switch(str(folder / "power"), _Asked)
        self._switch.cluster = self

    def _write_files(self, node_map: str) -> None:
        (self._folder / "authkey").write_bytes(secrets.token_bytes(256))
        text = (_HERE / "corosync.conf").read_text()
        (self._folder / "corosync.conf").write_text(text)
        agent = (_HERE / "fence_switch.py").read_text()
        text = f"#!{Path(sys.executable).resolve()} -IS\n{agent}"
        (self._folder / "fence_switch").write_text(text)
        text = (_HERE / "cib.xml").read_text()
        values = {
            "{socket}": str(self._folder / "power"),
            "{alert}": str(Path(sys.executable).with_name("nova-ha-pacemaker-alert")),
            "{node_map}": node_map,
            "{remotes}": "".join(_REMOTE.format(*each) for each in REMOTE.items()),
        }
        for name, value in values.items():
            text = text.replace(name, value)
        (self._folder / "cib.xml").write_text(text)

    def start(self) -> None:
        threading.Thread(target=self._switch.serve_forever, daemon=True).start()
        self._net.wait_until("the switch", lambda: _is_apart(self._net.pid))
        self._link("link set lo up")
        self._link("link add name sw0 type bridge forward_delay 0")
        self._link("link set sw0 up")
        for name in ADDRESSES:
            self.boot(name)
        self.wait_for_all()

    def stop(self) -> None:
        for name in list(self._nodes):
            self.cut(name)
        self._net.kill()
        self._switch.shutdown()
        self._switch.server_close()

    def boot(self, name: str) -> None:
        """Switch a node on. It ends with the thread that calls this."""
        remoted = str(_REMOTED) if name in REMOTE else ""
        script = [str(_HERE / "node.sh"), name, ADDRESSES[name], str(self._folder)]
        apart = ["--mount", "--uts", "--ipc", "--net", "--pid", "--mount-proc"]
        ends = ["--fork", "--kill-child=KILL"]
        command = ["unshare", *apart, *ends, "bash", *script, str(_REPOSITORY), remoted]
        process = Process(
            [*_ENDS_WITH_US, *command], self._folder / f"{name}.log", _ENV
        )
        process.wait_until(name, lambda: _child(process.pid) > 0)
        pid = _child(process.pid)
        self._nodes[name] = _Node(process, pid)
        process.wait_until(name, lambda: _is_apart(pid))
        self._cables += 1
        cable = f"{name}-{self._cables}"
        mac = "02:00:" + ":".join(f"{int(n):02x}" for n in ADDRESSES[name].split("."))
        eth0 = f"name eth0 address {mac} netns {pid}"  # the others remember the address
        self._link(f"link add {cable} type veth peer {eth0}")
        self._link(f"link set {cable} master sw0 up")
        process.wait_until(name, lambda: process.log.read_text().endswith("ready\n"))

    def cut(self, name: str) -> None:
        """Cut a node's power; return when all of it is gone."""
        with self._lock:
            node = self._nodes.pop(name, None)
            if node is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(node.pid, signal.SIGKILL)
                node.process.kill()

    def is_on(self, name: str) -> bool:
        return name in self._nodes

    def pid(self, name: str) -> int:
        """Of a node's first process."""
        return self._nodes[name].pid

    def run(self, name: str, *command: str) -> str:
        """What a program on a node says.

        :raises ProgramError: it fails.
        """
        apart = ["--mount", "--uts", "--ipc", "--net", "--pid"]
        nsenter = ["nsenter", "--target", str(self.pid(name)), *apart, "--"]
        return _run([*nsenter, *command])

    def words(self, name: str) -> Path:
        """The directory for words of a node."""
        return self._root(name) / _WORDS

    def said(self, name: str) -> list[str]:
        """What a node's alert agent has said, as Pacemaker's log has it."""
        text = (self._root(name) / _LOG).read_text(errors="replace")
        return re.findall(r"nova-ha-pacemaker-alert: (.*)", text)

    def wait_for_all(self) -> None:
        """All nodes are members, and nothing is left to be done."""
        wait("the cluster", self._is_whole)

    def _is_whole(self) -> bool:
        with contextlib.suppress(ProgramError):
            self.run("n1", "crm_resource", "--wait", "--timeout=20s")
            shown = self.run("n1", "crm_mon", "-1")
            wanted = ("Online: [ n1 n2 ]", "RemoteOnline: [ a1 a2 ]")
            power = re.search(r"power\s.*Started", shown)
            return all(f" {each}\n" in shown for each in wanted) and bool(power)
        return False

    def _root(self, name: str) -> Path:
        return Path(f"/proc/{self.pid(name)}/root")

    def _link(self, arguments: str) -> None:
        nsenter = ["nsenter", "--target", str(self._net.pid), "--net", "--"]
        _run([*nsenter, packages.find("ip", "iproute2"), *arguments.split()])


@contextlib.contextmanager
def running(folder: Path, node_map: str = "") -> Iterator[Cluster]:
    """A cluster whose nodes are all there."""
    cluster = Cluster(folder, node_map)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _child(pid: int) -> int:
    """The only child of a process; 0: it has none yet."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else 0


def _is_apart(pid: int) -> bool:
    """Whether a process has a network of its own already."""
    return os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")


def _run(command: list[str]) -> str:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    if done.returncode:
        words = " ".join(command)
        raise ProgramError(f"{words} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout
