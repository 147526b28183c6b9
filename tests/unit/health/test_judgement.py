# SPDX-License-Identifier: Apache-2.0
"""Each thing that can be out of order has its code, its host, and what to do."""

from dataclasses import replace

import pytest

from nova_ha_scheduler.health.judgement import JournalFacts, Judgement, judge
from nova_ha_scheduler.health.problems import Code, Kind
from nova_ha_scheduler.health.report import HostNote, Report, Standing
from nova_ha_scheduler.health.troubles import Trouble
from nova_ha_scheduler.reasons import Reason, filled
from nova_ha_scheduler.records.guard_record import GuardRecord
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.server_recovery import (
    ServerPhase,
    ServerRecovery,
    ServerState,
)
from nova_ha_scheduler.records.state import State

NOW = 1_000_000.0
_QUIET = State()
OWNER = "ctl1:123:ab"
REPORT = Report(OWNER, NOW - 2, 30.0, 15.0, NOW - 2.5, seen_at=NOW - 4, protected=42)


def of(
    state: State = _QUIET,
    holder: str = OWNER,
    age: float | None = None,
    **changes: object,
) -> Judgement:
    report = replace(REPORT, **changes)
    return judge(JournalFacts(state, holder, report, age=age), NOW)


def kinds(judgement: Judgement) -> list[Kind]:
    return [problem.kind for problem in judgement.problems]


def dying(reason: Reason | None, detail: str = "", **more: object) -> State:
    host = HostRecovery(
        "c1@1", "c1", HostState.FENCING, NOW - 60, {"fencing": NOW - 50}, **more
    ).because(reason, detail)
    return State(hosts={host.id: host})


def with_server(state: ServerState, reason: Reason | None, detail: str = "") -> State:
    host = HostRecovery("c1@1", "c1", HostState.EVACUATING, NOW - 60)
    server = ServerRecovery("c1@1", "uuid", "db", "c1", state, NOW - 60)
    intended = reason is not None and reason.intended
    phase = ServerPhase.AS_INTENDED if intended else None
    server = server.because(reason, detail, phase)
    return State(hosts={host.id: host}, servers={server.key: server})


def test_all_is_well() -> None:
    found = of()
    assert (found.code, found.problems) == (Code.PROTECTED, ())
    assert found.line == f"PROTECTED: 42 hosts, cloud seen 4 s ago, by {OWNER}"


def test_hosts_that_are_left_alone_are_said() -> None:
    found = of(aside=2)
    assert found.code is Code.PROTECTED
    assert ": 42 hosts, 2 more under maintenance or disabled, cloud" in found.line


def test_a_recovery_under_way_is_protection_at_work() -> None:
    found = of(dying(None))
    assert found.code is Code.PROTECTED
    assert "being recovered: c1" in found.line


def test_nobody_holds_the_lease() -> None:
    assert kinds(of(holder="")) == [Kind.NO_TRIGGER]
    assert not of(holder="").alive
    assert kinds(judge(JournalFacts(State(), "", None), NOW)) == [Kind.NO_TRIGGER]


def test_a_dead_trigger_though_its_lease_still_names_it() -> None:
    broken = (HostNote("c1", NOW - 99, "no route"),)
    found = of(at=NOW - 31, broken=broken)
    assert (found.code, kinds(found)) == (Code.NOT_PROTECTING, [Kind.TRIGGER_SILENT])
    assert not found.alive
    assert "ctl1:123:ab, last heard of 31 s ago" in found.line
    assert of(at=NOW - 29).code is Code.PROTECTED


@pytest.mark.parametrize("ahead", [-7200, -16, 0, 16, 7200])
def test_the_journals_clock_says_how_old_a_report_is(ahead: float) -> None:
    """Whatever the clocks of the trigger's machine and of ours say."""
    dead = of(at=NOW - 31 + ahead, age=31.0)
    assert kinds(dead) == [Kind.TRIGGER_SILENT]
    assert "last heard of 31 s ago" in dead.line
    alive = of(at=NOW - 29 + ahead, age=29.0)
    assert kinds(alive) == ([Kind.CLOCKS] if ahead > 15 else [])


@pytest.mark.parametrize(("ahead", "code"), [(14, 0), (16, 3), (7200, 3)])
def test_clocks_that_differ(ahead: float, code: int) -> None:
    """A trigger that was ahead and is dead must not look alive for hours."""
    assert of(at=NOW + ahead).code == code


def test_a_trigger_that_leaves_no_report() -> None:
    found = judge(JournalFacts(State(), OWNER, None), NOW)
    assert (found.code, kinds(found)) == (Code.CANNOT_TELL, [Kind.NO_REPORT])
    assert "older version" in found.line


def test_one_started_by_hand_protects_nobody_else() -> None:
    found = of(only=("c7",))
    assert (found.code, kinds(found)) == (Code.NOT_PROTECTING, [Kind.ONLY_BY_HAND])
    assert "started for c7 alone" in found.line


def test_a_step_that_does_not_end() -> None:
    found = of(stepped_at=NOW - 63)
    assert (found.code, kinds(found)) == (Code.NOT_PROTECTING, [Kind.TRIGGER_STUCK])
    assert "for 61 s" in found.line


@pytest.mark.parametrize("trouble", Trouble)
def test_troubles(trouble: Trouble) -> None:
    found = of(troubles=(Standing(trouble.name, NOW - 9, "503\nService"),))
    (problem,) = found.problems
    stops = trouble in (Trouble.CLOUD, Trouble.JOURNAL, Trouble.STEP)
    assert found.code is (Code.NOT_PROTECTING if stops else Code.DEGRADED)
    assert problem.since == NOW - 9
    assert "503 Service" in found.line
    assert "{" not in problem.what + problem.todo
    if not stops:
        assert problem.todo == trouble.value[1]


def test_a_trouble_of_a_newer_version() -> None:
    found = of(troubles=(Standing("METRICS", NOW, "port in use"),))
    assert (found.code, kinds(found)) == (Code.DEGRADED, [Kind.TROUBLE])


def test_nothing_is_protected() -> None:
    assert kinds(of(protected=0)) == [Kind.NOTHING_PROTECTED]
    assert of(protected=0).code is Code.NOT_PROTECTING
    assert kinds(of(protected=None)) == [Kind.NOT_SEEN]


def test_blind() -> None:
    state = State(guard=GuardRecord(blind_since=NOW - 100))
    (problem,) = of(state).problems
    assert (problem.kind, problem.since) == (Kind.BLIND, NOW - 100)


def test_a_host_that_died_disabled() -> None:
    found = of(State(guard=GuardRecord(left_disabled=("c7",))))
    assert (found.code, kinds(found)) == (Code.DEGRADED, [Kind.LEFT_DEAD])
    assert "c7 is down while somebody has its service disabled" in found.line


def test_guard() -> None:
    tripped = GuardRecord(
        tripped_until=NOW + 2700, reason="4 dead (c1, c2, c3, c4)", tripped_at=NOW - 900
    )
    found = of(State(guard=tripped))
    assert (found.code, kinds(found)) == (Code.NOT_PROTECTING, [Kind.GUARD])
    assert found.problems[0].since == NOW - 900
    assert "guard reset" in found.problems[0].todo
    assert "4 dead (c1, c2, c3, c4); nothing is fenced for 45 min more" in found.line
    assert of(State(guard=replace(tripped, tripped_until=NOW - 1))).code == 0


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ({}, Kind.PAUSED),
        ({"host": "c1"}, Kind.PAUSED_IN_PART),
        ({"zone": "nfs-a"}, Kind.PAUSED_IN_PART),
    ],
)
def test_pauses(where: dict[str, str], kind: Kind) -> None:
    pause = Pause("1", "Ann", "storage", NOW - 5, NOW + 60, **where)
    found = of(State(pauses={"1": pause}))
    assert kinds(found) == [kind]
    assert "Ann: storage" in found.line
    assert of(State(pauses={"1": replace(pause, until=NOW - 1)})).code == 0


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.UNFENCED, Kind.HOST_UNFENCED),
        (Reason.NO_METHOD, Kind.HOST_UNFENCED),
        (Reason.PROOF_STALE, Kind.HOST_UNFENCED),
        (Reason.WITNESSES, Kind.HOST_HELD),
        (Reason.BROKEN, Kind.HOST_HELD),
        (Reason.ABORTED, Kind.HOST_HELD),
        (Reason.PAUSED, Kind.HOST_HELD),
    ],
)
def test_held_hosts(reason: Reason, kind: Kind) -> None:
    found = of(dying(reason, "no route {to} host"))
    (problem,) = found.problems
    assert (found.code, problem.kind, problem.host) == (Code.DEGRADED, kind, "c1")
    assert problem.since == NOW - 50
    assert "no route {to} host" in problem.what
    assert "c1" in problem.todo
    assert of(dying(reason, ended_at=NOW - 1)).code == 0


def test_the_guard_says_it_for_all_its_hosts() -> None:
    assert of(dying(Reason.STORM, "4 dead")).code == 0


@pytest.mark.parametrize(
    ("state", "reason", "kind"),
    [
        (ServerState.WAITING, Reason.NO_ROOM, Kind.SERVERS_WAIT),
        (ServerState.WAITING, Reason.RETRY, None),
        (ServerState.MOVING, Reason.SLOW, Kind.SERVERS_WAIT),
        (ServerState.FAILED, Reason.ATTEMPTS, Kind.SERVERS_LOST),
        (ServerState.LEFT, Reason.VM_STATE, Kind.SERVERS_LOST),
        (ServerState.LEFT, Reason.NOT_PROTECTED, None),
        (ServerState.RECOVERED, None, None),
    ],
)
def test_servers(state: ServerState, reason: Reason | None, kind: Kind | None) -> None:
    found = of(with_server(state, reason, "disk full"))
    assert kinds(found) == ([kind] if kind else [])
    if kind and reason:
        assert found.problems[0].host == "c1"
        assert "db" in found.problems[0].what
        assert filled(reason.sentence("disk full"), "c1") in found.problems[0].what


def test_a_maintenance_that_does_not_end() -> None:
    window = Window("c1@1/m", "c1", "Ann", "disks", WindowState.ENDING, NOW - 9)
    held = window.because(Reason.DOWN_AT_END)
    assert kinds(of(State(windows={"1": held}))) == [Kind.MAINTENANCE_HELD]
    assert kinds(of(State(windows={"1": window}))) == []


def test_hosts_that_cannot_be_fenced() -> None:
    found = of(
        unfenceable=(HostNote("c9", NOW - 7),),
        broken=(HostNote("c3", NOW - 8, "time-out"), HostNote("c2", NOW - 8, "401")),
        settles_at=NOW + 1,
    )
    shown = [(problem.kind, problem.host) for problem in found.problems]
    assert shown == [
        (Kind.SETTLING, ""),
        (Kind.NO_METHOD, "c9"),
        (Kind.DEVICE_BROKEN, "c2"),
        (Kind.DEVICE_BROKEN, "c3"),
    ]
    assert found.code is Code.DEGRADED
    assert found.line.endswith("(and 3 more problems)")


def test_misspelt_keys_are_told_once_each() -> None:
    words = "'ha:maintenence' counts for nothing; ha:maintenance may be meant"
    hosts = tuple(HostNote(f"c{n}", NOW - n, words) for n in range(1, 9))
    found = of(misspelt=(*hosts, HostNote("c9", NOW - 2, "'ha-reserved' counts")))
    assert kinds(found) == [Kind.MISSPELT, Kind.MISSPELT]
    assert found.code is Code.DEGRADED
    assert found.problems[0].what == (
        "a key of the aggregates of c1, c2, c3, c4, c5 and 3 more may be misspelt: "
        + words
    )
    assert found.problems[0].since == NOW - 8


def test_the_worst_comes_first() -> None:
    pause = Pause("1", "Ann", "storage", NOW - 5, host="c1")
    found = of(State(pauses={"1": pause}), holder="")
    assert kinds(found) == [Kind.NO_TRIGGER, Kind.PAUSED_IN_PART]
    assert found.line == "NOT PROTECTING: no trigger is active (and 1 more problem)"


def test_a_host_that_is_back_and_stays_disabled() -> None:
    found = of(shut_out=(HostNote("c7", NOW - 99, "nova-ha: it has died again"),))
    assert (found.code, kinds(found)) == (Code.DEGRADED, [Kind.SHUT_OUT])
    assert "c7 is back, and its service stays disabled: nova-ha: it has" in found.line
