# SPDX-License-Identifier: Apache-2.0
"""The story on real parts: ``python -m demo --real``, which has to be root.

An OpenStack of processes (tests/lib/real): libvirt and QEMU, glance, neutron and cinder
beside Nova. A guest counts on its disk once a second, and shows it on its console.
"""

import time
from dataclasses import dataclass, field

from demo.steps import Story, expect
from demo.tell import Tell
from nova_ha_scheduler.journal.history import HistoryQuery
from tests.lib.real import disks
from tests.lib.real.disks import Mark
from tests.lib.real.stack import RealStack
from tests.lib.stack import servers
from tests.lib.stack.evacuator import Trigger
from tests.lib.stack.machines import Machine
from tests.lib.stack.site import Layout

ZONES = {**dict.fromkeys(["a1", "a2", "a9"], "nfs-a"), "b1": "nfs-b"}
FIRST, RESERVE, ELSEWHERE = "a1", "a9", "b1"
SERVER = "pet"

QUESTIONS = (
    "history list -c host -c outcome -c recovered -c left -c failed -c seconds",
    f"history show {FIRST} -c proof -c stages",
    "history list --servers -c name -c from -c to -c outcome",
)
_BEATS = 5
"""Seconds for which a guest counts before anything happens to it."""
_PATIENCE = 60.0


@dataclass
class Scene:
    """What every step works with.

    :ivar id: the server's, once it is there.
    """

    stack: RealStack
    tell: Tell
    id: str = ""
    trigger: Trigger = field(init=False)

    def screen(self, lines: int = 4) -> list[str]:
        """The last lines on the guest's console, as Nova's API has them."""
        ask = {"os-getConsoleOutput": {"length": lines}}
        answer = self.stack.nova("POST", f"/servers/{self.id}/action", ask)
        return str(answer.json().get("output", "")).split("\n") if answer.ok else []

    def show_screen(self, lines: list[str]) -> None:
        host = self.stack.host(self.id)
        self.tell.say(f"{SERVER}'s screen on {host} (openstack console log show):")
        for line in lines:
            if line.strip():
                self.tell.quote(line.strip())

    def mark(self) -> Mark:
        """What the guest has written to the disk that its host has."""
        zone = ZONES[self.stack.host(self.id)]
        disk = self.stack.folder / "zones" / zone / self.id / "disk"
        found = disks.read(disk)
        expect(found is not None, f"something on {self.stack.disks.name(disk)}", found)
        assert found
        return found

    def counts(self, boot: int) -> list[str]:
        """Wait until it counts in that boot of its disk; return its screen then."""
        first, second = f"boot {boot:08}", "beat "

        def beats() -> list[str] | None:
            lines = self.screen(100)
            begun = [n for n, line in enumerate(lines) if line.startswith(first)]
            since = lines[begun[-1] :] if begun else []
            enough = sum(line.startswith(second) for line in since) >= _BEATS
            return since if enough else None

        return self.stack.wait(f"{SERVER} counts in boot {boot}", beats, _PATIENCE)


STORY = Story[Scene]()


def show() -> bool:
    """Bring all of it up, play the story, take it down; whether all came true."""
    start, tell = time.monotonic(), Tell()
    tell.title("nova-ha-scheduler on libvirt and QEMU (about a minute to start it) ...")
    stack, keep_files = RealStack(Layout(zones=ZONES, reserve=(RESERVE,))), True
    try:
        with stack:
            came_true = STORY.play(Scene(stack, tell))
        tell.summary(time.monotonic() - start)
        keep_files = not came_true
    except KeyboardInterrupt:
        keep_files = False
        raise
    finally:
        if keep_files:
            print(f"All logs and disks: {stack.folder}")
        else:
            stack.remove()
    return came_true


@STORY.step("Four compute hosts in two storage zones")
def hosts(scene: Scene) -> None:
    rows = [("host", "storage_zone", "tags", "processes")]
    for host, machine in scene.stack.machines.items():
        tags = "ha=true" + (" ha:reserved=true" if host == RESERVE else "")
        rows.append((host, ZONES[host], tags, str(len(machine.processes()))))
    scene.tell.table(rows)
    said = scene.stack.machines[FIRST].enter("virsh", "version")
    versions = [line.partition(": ")[2] for line in said.splitlines() if line]
    scene.tell.say(f"On each runs {versions[0]} with {versions[-1]}, and nova-compute.")
    scene.tell.say(
        "Each host is a set of Linux namespaces, and sees the storage of its zone "
        "alone. Keystone, Placement, Nova, glance, neutron, cinder, MariaDB and "
        "RabbitMQ are processes beside them."
    )


@STORY.step("A guest counts the seconds on its disk", ("hosts",))
def boots(scene: Scene) -> None:
    stack = scene.stack
    flavor = stack.openstack().compute.find_flavor(servers.FLAVOR, ignore_missing=False)
    stack.boot("web", flavor.id, host="a2")
    scene.id = stack.boot(SERVER, flavor.id, host=FIRST)["id"]
    scene.show_screen(scene.counts(boot=1))
    mark = scene.mark()
    scene.tell.say(f"On its disk in nfs-a stands the same: {_words(mark)}.")


@STORY.step("Its host loses its power: it counts on, on the reserve", ("boots",))
def recovered(scene: Scene) -> None:
    stack, tell = scene.stack, scene.tell
    scene.trigger = stack.trigger("demo")
    service = scene.trigger.service()
    service.start()
    tell.say("nova-ha-evacuator runs, and knows a BMC (Redfish) for each host.")
    cut(scene, stack.machines[FIRST])
    before, at = scene.mark(), time.monotonic()
    history = scene.trigger.history()
    ends = HistoryQuery(host=FIRST, outcome="recovered")
    stack.wait(f"the recovery of {FIRST}", lambda: history.recoveries(ends), _PATIENCE)
    screen = scene.counts(boot=2)
    tell.say(f"{time.monotonic() - at:.0f} s later:")
    scene.show_screen(screen)
    host, now = stack.host(scene.id), scene.mark()
    expect(host == RESERVE, f"{SERVER} on {RESERVE}", host)
    expect(
        (now.boot, now.beats > before.beats) == (2, True),
        f"the second boot of the same disk, and more than {before.beats} beats",
        now,
    )
    tell.say(f"Its disk: {_words(before)} at the power cut, {_words(now)} now.")
    wrong = stack.standing([scene.id])
    expect(not wrong, "one guest writes to it", wrong)
    for arguments in QUESTIONS:
        words = arguments.split()
        tell.output(f"nova-ha {arguments}", scene.trigger.nova_ha(*words))
    service.stop()


@STORY.step("The same without nova-ha-scheduler: the disk is lost", ("recovered",))
def lost(scene: Scene) -> None:
    stack, tell = scene.stack, scene.tell
    stack.compute.plugin(False)
    tell.say(
        "The trigger is stopped, and nova-scheduler starts anew with Nova's own "
        "filters and weighers."
    )
    machine = stack.machines[RESERVE]
    old = stack.folder / "zones" / ZONES[RESERVE] / scene.id / "disk"
    cut(scene, machine)
    before = scene.mark()
    stack.force_down(RESERVE)
    stack.openstack().compute.evacuate_server(scene.id)
    tell.say(
        f"The operator sets {RESERVE}'s nova-compute to forced_down, and asks Nova to "
        f"evacuate {SERVER}, naming no host ..."
    )
    stack.wait(
        "the evacuation", lambda: stack.host(scene.id) not in (RESERVE, ""), _PATIENCE
    )
    stack.wait_status(scene.id, "ACTIVE")
    scene.show_screen(scene.counts(boot=1))
    host, now = stack.host(scene.id), scene.mark()
    expect(host == ELSEWHERE, f"{SERVER} on {ELSEWHERE}, in nfs-b", host)
    expect(
        (now.boots, now.beats < before.beats) == (1, True),
        "a disk made anew, which counts from one",
        now,
    )
    tell.say(
        "Nova calls it done. It took the host with the most free memory, though a2 in "
        f"nfs-a had room; {host} does not see the disks of nfs-a, and made the disk "
        f"anew from the image. It says {_words(now)}; the one that lies in nfs-a says "
        f"{_words(before)}."
    )
    tell.say(f"{RESERVE} is repaired and switched on ...")
    expect(old.exists(), "the old disk lies in nfs-a still", "no disk")
    machine.start()
    stack.wait("its nova-compute has cleaned up", lambda: not old.exists(), _PATIENCE)
    tell.say(
        "Its nova-compute has deleted what was evacuated from it: the last copy of "
        f"what {SERVER} had written is gone."
    )


def cut(scene: Scene, machine: Machine) -> None:
    """Cut the host's power, and show the guest's screen just before that."""
    host = scene.stack.host(scene.id)
    expect(host == machine.name, f"{SERVER} on {machine.name}", host)
    last = scene.screen()
    machine.kill()
    scene.show_screen(last)
    scene.tell.say(f"{machine.name} loses its power: kill -9 of all that runs on it.")


def _words(mark: Mark) -> str:
    return f"boot {mark.boot}, {mark.beats} beats"
