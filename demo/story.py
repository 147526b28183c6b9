# SPDX-License-Identifier: Apache-2.0
"""The steps. Each asks the cloud for something, shows what came of it, and checks it.

A step that does not come true raises :class:`Untrue`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from demo import layout
from demo.admin import Admin, Server
from demo.layout import ORDINARY, PROTECTED, RESERVE, ZONE_OF, ZONES
from demo.steps import Refused, Story, Untrue, expect
from demo.tell import Tell
from tests.lib.cloud import Cloud


@dataclass
class Scene:
    """What every step works with."""

    cloud: Cloud
    admin: Admin
    tell: Tell


STORY = Story[Scene]()
step = STORY.step

# What the scheduler logs, for each rule.
OTHER_ZONE = "zone nfs-a required"
RESERVED = "a host outside the reserve required"
MAINTAINED = "a host not under maintenance required"
NOT_HA = "a host with ha=true required"

# What several steps do.


def expect_refusal(scene: Scene, ask: Callable[[], object], because: str) -> None:
    """Show Nova's answer, and the scheduler's own line, with the rule that it says."""
    scene.admin.scheduler_said()
    try:
        ask()
    except Refused as refused:
        answers = refused.args
    else:
        raise Untrue("Nova refuses it", "Nova did it")
    lines = scene.admin.scheduler_said()
    for line in (*(f"Nova: {answer}" for answer in answers), *lines):
        scene.tell.quote(line)
    expect(
        any(because in line for line in lines),
        f"the scheduler's log says why: {because}",
        lines or "nothing in the log",
    )


def show_load(scene: Scene) -> dict[str, int]:
    """Show how many servers each host has, a row for each zone."""
    counts = scene.admin.counts()
    scene.tell.table(
        [zone, *(f"{host}: {counts[host]}" for host in hosts)]
        for zone, hosts in ZONES.items()
    )
    return counts


def fullest(scene: Scene, hosts: list[str]) -> str:
    counts = scene.admin.counts()
    return max(hosts, key=lambda host: counts[host])


def a_server(scene: Scene, zone: str) -> Server:
    """Some active server without ha=true in a zone."""
    return next(
        server
        for server in scene.admin.servers()
        if ZONE_OF[server.compute_host] == zone and server.name.startswith("web")
    )


def die(scene: Scene, host: str) -> list[Server]:
    """Cut a host's power and tell Nova; return the servers that it had."""
    lost = scene.admin.on(host)
    scene.cloud.crash(host)
    scene.cloud.force_down(host)
    scene.tell.say(
        f"{host} loses its power with {len(lost)} servers on it; the operator sets its "
        "nova-compute to forced_down."
    )
    return lost


def evacuate(scene: Scene, host: str, lost: list[Server]) -> None:
    """Ask for one evacuation after another and follow them to their ends."""
    for server in lost:
        scene.admin.evacuate(server)
    ends = scene.admin.evacuations(host)
    statuses = {server.name: ends.get(server.id) for server in lost}
    expect(
        set(statuses.values()) == {"done"},
        "the migration record of each server says: done",
        statuses,
    )


def show_moves(
    scene: Scene, before: list[Server], disks: dict[str, str]
) -> list[tuple[Server, Server, str]]:
    """Show servers then and now; return (then, now, the disk now) of each.

    :param disks: what their disks were, by server id.
    """
    moves = []
    rows = [("server", "from", "to", "zone", "status", "sha256 of its disk")]
    for then in before:
        now = scene.admin.compute.get_server(then.id)
        disk = scene.admin.disk(now)
        source, target = ZONE_OF[then.compute_host], ZONE_OF[now.compute_host]
        kept = disk == disks[then.id]
        rows.append(
            (
                then.name,
                then.compute_host,
                now.compute_host,
                source if source == target else f"{source} -> {target}",
                now.status,
                f"{disks[then.id]} {'=' if kept else '->'} {disk}"
                + ("" if kept else " LOST"),
            )
        )
        moves.append((then, now, disk))
    scene.tell.table(rows)
    return moves


def disks_of(scene: Scene, servers: list[Server]) -> dict[str, str]:
    return {server.id: scene.admin.disk(server) for server in servers}


# The story.


@step("A cloud of eight hosts in two storage zones, tagged by host aggregates")
def tagged(scene: Scene) -> None:
    admin = scene.admin
    for name, (metadata, hosts) in layout.AGGREGATES.items():
        admin.aggregate(name, metadata, hosts)
    for name, (ram, specs) in layout.FLAVORS.items():
        admin.flavor(name, ram, specs)
    scene.tell.table(
        [("aggregate", "metadata", "hosts")]
        + [
            (
                aggregate.name,
                ", ".join(
                    f"{key}={value}" for key, value in aggregate.metadata.items()
                ),
                " ".join(sorted(aggregate.hosts or ())) or "(none now)",
            )
            for aggregate in admin.compute.aggregates()
        ]
    )
    scene.tell.say(f"Enabled beside Nova's filters: {', '.join(layout.FILTERS)}.")


@step("Boots spread over the ordinary hosts, never onto the reserve", ("tagged",))
def boots(scene: Scene) -> None:
    names = [f"web-{number:02}" for number in range(1, 13)]
    for server in [scene.admin.place(name, "plain") for name in names]:
        scene.admin.active(server)
    scene.tell.say("12 servers, asked for without a host, landed here:")
    counts = show_load(scene)
    expect(
        all(counts[host] for host in ORDINARY)
        and not any(counts[host] for host in RESERVE.values()),
        f"at least one on each of {', '.join(ORDINARY)}, none on a4 and b4",
        counts,
    )


@step("Live migration, cold migration and resize stay in the zone", ("boots",))
def moves(scene: Scene) -> None:
    admin = scene.admin
    before = admin.servers()[:3]
    disks = disks_of(scene, before)
    admin.live_migrate(before[0])
    admin.cold_migrate(before[1])
    admin.resize(before[2], "plain-large")
    scene.tell.say(
        "One server each, no host named; cold migration and resize are confirmed:"
    )
    for then, now, disk in show_moves(scene, before, disks):
        source, target = then.compute_host, now.compute_host
        expect(
            source != target
            and ZONE_OF[source] == ZONE_OF[target]
            and target in ORDINARY
            and disk == disks[then.id],
            f"{then.name} on another ordinary host of {ZONE_OF[source]}, same disk",
            f"on {target} ({ZONE_OF[target]}), disk {disk}, was {disks[then.id]}",
        )


@step("A move to a host of the other zone is refused", ("boots",))
def other_zone(scene: Scene) -> None:
    server = a_server(scene, "nfs-a")
    source, disk = server.compute_host, scene.admin.disk(server)
    scene.tell.say(f"Live migrate {server.name} from {source} (nfs-a) to b1 (nfs-b):")
    expect_refusal(scene, lambda: scene.admin.live_migrate(server, "b1"), OTHER_ZONE)
    now = scene.admin.compute.get_server(server.id)
    state = f"{now.status} on {now.compute_host}, disk {scene.admin.disk(now)}"
    expect(
        state == f"ACTIVE on {source}, disk {disk}",
        f"{server.name} stays as it was: ACTIVE on {source}, disk {disk}",
        state,
    )
    scene.tell.say(f"{server.name} stayed where it was: {state}.")


@step("A boot asked for on a reserved host is refused", ("tagged",))
def reserve_closed(scene: Scene) -> None:
    scene.tell.say("Boot a server with host=a4:")
    expect_refusal(scene, lambda: scene.admin.boot("web-x", "plain", "a4"), RESERVED)


@step("A host under maintenance takes nothing", ("boots",))
def maintenance(scene: Scene) -> None:
    admin, tell = scene.admin, scene.tell
    server = a_server(scene, "nfs-a")
    host = next(h for h in ("a3", "a2", "a1") if h != server.compute_host)
    before = admin.counts()[host]
    admin.enter("maintenance", host)
    tell.say(
        f"{host} enters the aggregate 'maintenance'. Boot a server with host={host}:"
    )
    expect_refusal(scene, lambda: admin.boot("web-x", "plain", host), MAINTAINED)
    tell.say(f"Live migrate {server.name} from {server.compute_host} to {host}:")
    expect_refusal(scene, lambda: admin.live_migrate(server, host), MAINTAINED)
    landed = [admin.boot(f"web-{n}", "plain").compute_host for n in (13, 14)]
    tell.say(f"Two boots without a host landed on {' and '.join(landed)}.")
    after = admin.counts()[host]
    expect(after == before, f"still {before} servers on {host}", after)
    admin.leave("maintenance", host)
    landed_on = admin.boot("web-15", "plain", host).compute_host
    tell.say(f"{host} leaves it, and the boot with host={host} lands on {landed_on}.")
    expect(landed_on == host, f"web-15 on {host}", landed_on)


@step("A flavor with ha=true goes to ha=true hosts only", ("tagged",))
def protected(scene: Scene) -> None:
    hosts = [
        scene.admin.boot(f"db-{number}", "ha").compute_host for number in range(1, 5)
    ]
    scene.tell.say(f"Four servers of flavor ha landed on {', '.join(hosts)}.")
    allowed = [host for host in PROTECTED if host in ORDINARY]
    expect(set(hosts) <= set(allowed), f"all four on {', '.join(allowed)}", hosts)
    scene.tell.say("Boot a fifth with host=b3, which is not tagged ha=true:")
    expect_refusal(scene, lambda: scene.admin.boot("db-x", "ha", "b3"), NOT_HA)


@step("A host dies: its servers come back on their zone's reserve", ("boots",))
def evacuated(scene: Scene) -> None:
    host = fullest(scene, ["a1", "a2"])
    scene.admin.stop(scene.admin.on(host)[-1])
    lost = die(scene, host)
    disks = disks_of(scene, lost)
    scene.tell.say(
        "The operator asks Nova to evacuate each, naming no host. (At microversion "
        "2.94: they keep their power state. From 2.95 on they would end SHUTOFF.)"
    )
    evacuate(scene, host, lost)
    for then, now, disk in show_moves(scene, lost, disks):
        expect(
            (now.compute_host, now.status, disk) == ("a4", then.status, disks[then.id]),
            f"{then.name} {then.status} on a4 with disk {disks[then.id]}",
            f"{now.status} on {now.compute_host} with disk {disk}",
        )


@step("The same without the plugin: a disk is lost", ("boots",))
def without_plugin(scene: Scene) -> None:
    scene.cloud.restart_scheduler(layout.PLUGIN_OFF)
    scene.tell.say("nova-scheduler starts anew with Nova's own filters and weighers.")
    host = fullest(scene, scene.admin.up(["a1", "a2", "a3"]))
    lost = die(scene, host)
    disks = disks_of(scene, lost)
    evacuate(scene, host, lost)
    moves = show_moves(scene, lost, disks)
    gone = [then.name for then, _, disk in moves if disk != disks[then.id]]
    crossed = [t.name for t, now, _ in moves if ZONE_OF[now.compute_host] == "nfs-b"]
    expect(
        bool(gone) and gone == crossed,
        "at least one server in nfs-b, and those in nfs-b with another disk",
        f"in nfs-b: {crossed}, with another disk: {gone}",
    )
    scene.tell.say(
        "Nova calls all of these evacuations done. It took the host with the most "
        "free memory: b4, which this demo made twice as large as the others, and "
        "which does not see the disks of nfs-a. There Nova made "
        f"{', '.join(gone)} anew from the image, without a word."
    )
