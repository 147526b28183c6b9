# SPDX-License-Identifier: Apache-2.0
"""The last act: the evacuation trigger, as an operator runs it beside the cloud.

``nova-ha-evacuator`` is a process of its own, with nova-ha.conf, clouds.yaml, a
fencing file and a journal in the demo's directory. The BMCs are systems of a real
Redfish service, in another process.
"""

from demo import layout, story
from demo.admin import Server
from demo.steps import expect
from demo.story import Scene
from demo.told import DOWN_TIME, VICTIM
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.server_recovery import ServerRecovery
from tests.lib import redfish, rig
from tests.lib.cloud.config import Conf

RESERVE = layout.RESERVE[layout.ZONE_OF[VICTIM]]

CONF: Conf = {
    "detection": {"poll_interval": 1, "down_time": DOWN_TIME},
    "evacuation": {"follow_interval": 1},
    "return": {"failback": True},
}
QUESTIONS = (
    "history list -c host -c outcome -c recovered -c left -c failed -c seconds",
    "history list --servers -c name -c from -c to -c outcome -c reason",
    f"history show {VICTIM} -c proof -c stages",
    f"history events --host {VICTIM} --since 1h -c at -c kind -c server_name -c reason",
)

_PATIENCE_SECONDS = 60


def add() -> None:
    """Make it the story's last step."""
    title = "A host dies at night, is recovered by the trigger, and comes back"
    story.step(title, ("boots",))(night)


def night(scene: Scene) -> None:
    scene.cloud.restart_scheduler()
    scene.tell.say("nova-scheduler starts anew with the plugin.")
    in_repair = disable_the_dead(scene)
    folder = scene.cloud.state_dir / "nova-ha"
    folder.mkdir()
    trigger = rig.Trigger(folder, scene.cloud.clouds_yaml, CONF)
    with redfish.bmcs(folder, layout.PROTECTED, off=in_repair) as bmcs:
        bmcs.fencing_file(trigger.fencing_file)
        with trigger.running():
            scene.tell.say(
                "nova-ha-evacuator runs, and knows a BMC (Redfish) for each of "
                f"{', '.join(layout.PROTECTED)}."
            )
            lost = _load(scene)
            _recover(scene, trigger, bmcs, lost)
            _return(scene, trigger, bmcs, lost)
    for arguments in QUESTIONS:
        scene.tell.output(f"nova-ha {arguments}", trigger.nova_ha(*arguments.split()))


def disable_the_dead(scene: Scene) -> list[str]:
    """Hosts that a person disabled are none of the trigger's business."""
    dead = [h for h in layout.PROTECTED if not scene.cloud.is_running(h)]
    for service in scene.admin.compute.services(binary="nova-compute"):
        if service.host in dead:
            scene.admin.compute.disable_service(service, disabled_reason="in repair")
    if dead:
        scene.tell.say(
            f"The operator disables {' and '.join(dead)}, which are in repair; the "
            "trigger will leave them alone."
        )
    return dead


def _recover(
    scene: Scene, trigger: rig.Trigger, bmcs: redfish.Bmcs, lost: list[Server]
) -> None:
    """Let the host freeze, wait for the trigger, and look at what it did."""
    disks = story.disks_of(scene, lost)
    scene.tell.say(f"{VICTIM}'s BMC says that its power is {bmcs.power(VICTIM)}.")
    scene.cloud.crash(VICTIM)
    scene.tell.say(
        f"{VICTIM} freezes with {len(lost)} servers on it. Nobody is told; Nova calls "
        f"its nova-compute down after {DOWN_TIME} s of silence ..."
    )
    history = trigger.history()
    servers = scene.cloud.wait(
        f"the recovery of {VICTIM}", lambda: _ended(history), _PATIENCE_SECONDS
    )
    scene.tell.say(f"{VICTIM}'s BMC says that its power is {bmcs.power(VICTIM)}.")
    expect(bmcs.power(VICTIM) == "Off", f"{VICTIM} is off", bmcs.power(VICTIM))
    _check_order(history)
    for then, now, disk in story.show_moves(scene, lost, disks):
        wanted = (RESERVE if _protected(then) else VICTIM, then.status, disks[then.id])
        seen = (now.compute_host, now.status, disk)
        expect(seen == wanted, f"{then.name}: {wanted}", seen)
    left = {s.name: s.reason for s in servers.values() if s.state.value == "left"}
    expect(
        set(left) == {s.name for s in lost if not _protected(s)} and all(left.values()),
        "each plain server is left, with its reason",
        left,
    )


def _return(
    scene: Scene, trigger: rig.Trigger, bmcs: redfish.Bmcs, lost: list[Server]
) -> None:
    """Switch it on, and do nothing more."""
    evacuated = [s for s in scene.admin.on(RESERVE) if s.id in {x.id for x in lost}]
    disks = story.disks_of(scene, evacuated)
    bmcs.switch_on(VICTIM)
    scene.cloud.revive(VICTIM)
    scene.tell.say(f"{VICTIM} is repaired and switched on. Nobody does more than that.")
    done = HistoryQuery(host=VICTIM, outcome=EventKind.FAILBACK_ENDED.value)
    history = trigger.history()
    scene.cloud.wait("the way home", lambda: history.events(done), _PATIENCE_SECONDS)
    for then, now, disk in story.show_moves(scene, evacuated, disks):
        wanted = (VICTIM, then.status, disks[then.id])
        seen = (now.compute_host, now.status, disk)
        expect(seen == wanted, f"{then.name}: {wanted}", seen)
    landed = scene.admin.boot("web-17", "plain", VICTIM).compute_host
    scene.tell.say(f"A boot with host={VICTIM} lands on {landed}.")
    expect(landed == VICTIM, f"web-17 on {VICTIM}", landed)


def _load(scene: Scene) -> list[Server]:
    """See that the host has protected servers, one of them stopped, and a plain one."""
    for name in ("db-5", "db-6", "db-7"):
        scene.admin.boot(name, "ha", VICTIM)
    scene.admin.boot("web-16", "plain", VICTIM)
    stopped = next(s for s in scene.admin.on(VICTIM) if s.name == "db-7")
    scene.admin.stop(stopped)
    return scene.admin.on(VICTIM)


def _protected(server: Server) -> bool:
    return str(server.name).startswith("db-")


def _ended(history: History) -> dict[str, ServerRecovery] | None:
    """The victim's servers by id, once each one is accounted for."""
    found = history.recoveries(HistoryQuery(host=VICTIM))
    if not found or found[0].state.value not in ("recovered", "incomplete"):
        return None
    servers = history.servers(HistoryQuery(recovery=found[0].id))
    expect(
        found[0].state.value == "recovered",
        f"{VICTIM} is recovered",
        {s.name: f"{s.state.value}: {s.reason} {s.detail}" for s in servers},
    )
    return {server.server: server for server in servers}


def _check_order(history: History) -> None:
    """First the proof, then the evacuations, and no other host was touched."""
    events = [event for _, event in reversed(history.events(HistoryQuery(limit=1000)))]
    kinds = [event.kind for event in events]
    expect(
        EventKind.HOST_FENCED in kinds
        and EventKind.SERVER_ASKED not in kinds[: kinds.index(EventKind.HOST_FENCED)],
        "no evacuation before the host was seen off",
        [kind.value for kind in kinds],
    )
    hosts = {event.host for event in events if event.kind is EventKind.HOST_FENCED}
    expect(hosts == {VICTIM}, f"{VICTIM} alone was fenced", hosts)
