# SPDX-License-Identifier: Apache-2.0
"""Are the hosts protected? Pure: over the journal's state, its lease and the report.

==================  =================================================================
PROTECTED           a trigger is active and sees the cloud, and nothing is in its way
DEGRADED            it works, but for a host, a zone, or something beside it
NOT PROTECTING      no dead host would be recovered now
CANNOT TELL         there is nothing to judge by
==================  =================================================================
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from nova_ha_scheduler.health.problems import Code, Kind, Problem
from nova_ha_scheduler.health.report import Report, Standing
from nova_ha_scheduler.health.troubles import Trouble
from nova_ha_scheduler.printable import first_of
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.server_recovery import ServerRecovery
from nova_ha_scheduler.records.state import State

_UNPROVEN = (
    Reason.UNFENCED,
    Reason.NO_METHOD,
    Reason.BY_HAND,
    Reason.PROOF_STALE,
    Reason.SEEN_ALIVE,
    Reason.CONTRADICTED,
)
"""Where the host's death could not be seen, or is in doubt."""

_SAID_OF_ALL = (Reason.STORM,)
"""Reasons of hosts that another problem names already."""

_WAITS_FOR_A_PERSON = (
    Reason.NO_ROOM,
    Reason.NO_HOST_MAY,
    Reason.LATE_UNCLEAR,
    Reason.SLOW,
    Reason.CANNOT_BE_READ,
)
"""Of servers that are under way or wait; what passes by itself is not here."""

_PASSES = (Reason.MOVES_UNDER_WAY, Reason.UNFLAGGED)
"""Of maintenances."""

_OF_TROUBLE = {
    Trouble.CLOUD.name: Kind.CLOUD,
    Trouble.JOURNAL.name: Kind.JOURNAL,
    Trouble.STEP.name: Kind.STEP,
}

_WORDS = {
    HostState.RECOVERED: "off, with all servers recovered",
    HostState.RETURNING: "coming back",
}
"""What is said of a host in the line that all is well."""

_NAMES = 5
"""How many servers, or hosts, are named at most."""

_SEVERITY = (Code.NOT_PROTECTING, Code.CANNOT_TELL, Code.DEGRADED)
"""The worst first: what stops the protection counts more than not to know the rest."""


@dataclass(frozen=True)
class JournalFacts:
    """What is judged.

    :ivar holder: whom the lease names; "" after an orderly end.
    :ivar unreadable: why there is no report, though one was written.
    :ivar age: how many seconds ago the report was written, by the journal's own clock;
        None: only the clocks of two machines can tell.
    """

    state: State
    holder: str
    report: Report | None
    unreadable: str = ""
    age: float | None = None


@dataclass(frozen=True)
class Judgement:
    """
    :ivar line: all of it, on one line.
    :ivar problems: the worst first.
    :ivar alive: whether there is a trigger that works, as far as is known.
    """

    code: Code
    line: str
    problems: tuple[Problem, ...] = ()
    alive: bool = True


def judge(facts: JournalFacts, now: float) -> Judgement:
    """:param now: seconds since the epoch, by the clock of who asks."""
    dead = _dead(facts, now)
    found = [*dead, *_of_state(facts.state, now)]
    if not dead and facts.report is not None:
        found += _of_report(facts.report, now)
    if found:
        return of_problems(found, alive=not any(_stops(p) for p in dead))
    return Judgement(Code.PROTECTED, _all_well(facts, now))


def of_problems(found: Iterable[Problem], alive: bool = True) -> Judgement:
    """A judgement by what is out of order, which is something."""
    problems = sorted(found, key=_rank)
    worst, more = problems[0], len(problems) - 1
    others = f" (and {more} more problem{'s' if more > 1 else ''})" if more else ""
    line = f"{worst.kind.code.words}: {worst.what}{others}"
    return Judgement(worst.kind.code, line, tuple(problems), alive)


def cannot_tell(why: str) -> Judgement:
    """There is nothing to judge by. :param why: a sentence."""
    return of_problems([Problem(Kind.UNREADABLE, details=(why,))])


def span(seconds: float) -> str:
    """A duration for people: '42 s', '12 min', '3 h'."""
    if seconds < 120:
        return f"{max(0.0, seconds):.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _rank(problem: Problem) -> tuple[int, int, str]:
    kinds = list(Kind)
    code, kind = problem.kind.code, kinds.index(problem.kind)
    return _SEVERITY.index(code), kind, problem.host


def _stops(problem: Problem) -> bool:
    return problem.kind in (Kind.NO_TRIGGER, Kind.TRIGGER_SILENT)


def _all_well(facts: JournalFacts, now: float) -> str:
    report = facts.report
    assert report is not None  # without one, there is a problem
    number = report.protected or 0
    parts = [f"{number} host{'s' if number != 1 else ''}"]
    if report.aside:
        parts.append(f"{report.aside} more under maintenance or disabled")
    parts += _under_way(facts.state)
    if report.seen_at is not None:
        parts.append(f"cloud seen {span(now - report.seen_at)} ago")
    return f"{Code.PROTECTED.words}: {', '.join(parts)}, by {facts.holder}"


def _under_way(state: State) -> list[str]:
    """Which hosts are being recovered, which are off since, and which come back."""
    found = defaultdict(list)
    for host in state.hosts.values():
        if host.ended_at is None:
            words = _WORDS.get(host.state, "being recovered")
            found[words].append(host.host)
    return [
        f"{len(hosts)} of them {words}: {first_of(sorted(hosts), _NAMES)}"
        for words, hosts in sorted(found.items())
    ]


def _dead(facts: JournalFacts, now: float) -> list[Problem]:
    """Why no trigger is at work, or why that is not known."""
    report, holder = facts.report, facts.holder
    if not holder:
        return [Problem(Kind.NO_TRIGGER)]
    if report is None:
        why = facts.unreadable or f"{holder} has just begun, or is of an older version"
        return [Problem(Kind.NO_REPORT, details=(why,))]
    age = now - report.at if facts.age is None else facts.age
    if age > report.valid:
        words = f"{holder}, last heard of {span(age)} ago"
        return [Problem(Kind.TRIGGER_SILENT, since=report.at, details=(words,))]
    ahead = report.at + max(0.0, facts.age or 0.0) - now
    if ahead > report.skew:
        words = f"{span(ahead)} ahead of this clock"
        return [Problem(Kind.CLOCKS, details=(words,))]
    return []


def _of_report(report: Report, now: float) -> Iterator[Problem]:
    """What the trigger says of itself."""
    if report.only:
        names = first_of(report.only, _NAMES)
        yield Problem(Kind.ONLY_BY_HAND, since=report.stepped_at, details=(names,))
    idle = report.at - report.stepped_at
    if idle > report.patience:
        words = f"{report.owner} has not ended a step for {span(idle)}"
        yield Problem(Kind.TRIGGER_STUCK, since=report.stepped_at, details=(words,))
    for standing in report.troubles:
        yield _of_trouble(standing)
    troubles = {standing.trouble for standing in report.troubles}
    if report.protected is None and Trouble.CLOUD.name not in troubles:
        yield Problem(Kind.NOT_SEEN, since=report.stepped_at)
    if report.protected == 0:
        yield Problem(Kind.NOTHING_PROTECTED)
    if report.settles_at is not None and now < report.settles_at:
        yield Problem(Kind.SETTLING)
    for host in report.unfenceable:
        yield Problem(Kind.NO_METHOD, host.host, host.since, (host.words,))
    for host in report.broken:
        yield Problem(Kind.DEVICE_BROKEN, host.host, host.since, (host.words,))
    for host in report.shut_out:
        yield Problem(Kind.SHUT_OUT, host.host, host.since, (host.words,))
    keys = defaultdict(list)
    for host in report.misspelt:  # an aggregate may have hundreds
        keys[host.words].append(host)
    for words, hosts in keys.items():
        names = first_of([host.host for host in hosts], _NAMES)
        since = min(host.since for host in hosts)
        yield Problem(Kind.MISSPELT, since=since, details=(words, names))


def _of_trouble(standing: Standing) -> Problem:
    known = Trouble.__members__.get(standing.trouble)
    if kind := _OF_TROUBLE.get(standing.trouble):
        return Problem(kind, since=standing.since, details=(standing.error,))
    what, todo = standing.trouble, "see the trigger's log"
    if known is not None:
        what, todo, _ = known.value
    details = (f"{what}: {standing.error}", todo)
    return Problem(Kind.TROUBLE, since=standing.since, details=details)


def _of_state(state: State, now: float) -> Iterator[Problem]:
    """What the journal says, whoever is active."""
    guard = state.guard
    if guard.blind_since is not None:
        yield Problem(Kind.BLIND, since=guard.blind_since)
    if guard.tripped_until is not None and now < guard.tripped_until:
        left = span(guard.tripped_until - now)
        words = f"{guard.reason}; nothing is fenced for {left} more"
        yield Problem(Kind.GUARD, since=guard.tripped_at, details=(words,))
    for name in guard.left_disabled:
        yield Problem(Kind.LEFT_DEAD, name)
    for pause in state.pauses.values():
        if not pause.is_over(now):
            whole = pause.host is None and pause.zone is None
            kind = Kind.PAUSED if whole else Kind.PAUSED_IN_PART
            yield Problem(kind, pause.host or "", pause.at, (_paused(pause, now),))
    for window in sorted(state.windows.values(), key=attrgetter("host")):
        if window.ended_at is None and window.reason not in (None, *_PASSES):
            words = window.sentence
            yield Problem(Kind.MAINTENANCE_HELD, window.host, None, (words,))
    servers = defaultdict(list)
    for server in state.servers.values():
        servers[server.recovery].append(server)
    for host in state.hosts.values():
        if host.ended_at is None:
            yield from _of_host(host, servers[host.id])


def _paused(pause: Pause, now: float) -> str:
    """What it holds, unless that is everything, for how long, by whom, and why."""
    whole = pause.host is None and pause.zone is None
    scope = "" if whole else f"{pause.scope} "
    left = "" if pause.until is None else f"for {span(pause.until - now)} more "
    return f"{scope}{left}by {pause.by}: {pause.reason}"


def _of_host(host: HostRecovery, servers: list[ServerRecovery]) -> Iterator[Problem]:
    since = host.stages.get(host.state.value)
    if host.reason is not None and host.reason not in _SAID_OF_ALL:
        kind = Kind.HOST_UNFENCED if host.reason in _UNPROVEN else Kind.HOST_HELD
        yield Problem(kind, host.host, since, (host.sentence,))
    waiting = [s for s in servers if s.reason in _WAITS_FOR_A_PERSON]
    lost = [s for s in servers if s.state.final and not s.settled]
    waiting = [s for s in waiting if not s.state.final]
    for kind, found in ((Kind.SERVERS_WAIT, waiting), (Kind.SERVERS_LOST, lost)):
        if found:
            yield Problem(kind, host.host, since, (_servers(found),))


def _servers(found: list[ServerRecovery]) -> str:
    """Their names, and the reason that most of them have."""
    sentences = Counter(s.sentence for s in found if s.sentence)
    why = "".join(f"; {words}" for words, _ in sentences.most_common(1))
    return first_of(sorted(s.name for s in found), _NAMES) + why
