# SPDX-License-Identifier: Apache-2.0
"""The safety rules, checked against what was true, whatever anybody believed.

What was true is in the records of the computes' hypervisors (driver.py) and in the log
of the power switch (machines.py). The trigger's history has to agree with them.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

Lines = Iterable[Mapping[str, Any]]

_FINAL = ("recovered", "failed", "left")
FOREVER = float("inf")

_SOON = 120.0
"""Seconds from a death to its recovery, at most; from one death of a host to its next
it takes longer."""


@dataclass(frozen=True)
class Stay:
    """A server ran on a host; ``until`` is infinite while it still does."""

    server: str
    host: str
    since: float
    until: float = FOREVER


@dataclass(frozen=True)
class Arrival:
    """A server came up on a host that it was not on: evacuated from ``source``."""

    server: str
    source: str
    host: str
    at: float


@dataclass
class Death:
    """A host lost its power, with these servers on it."""

    host: str
    at: float
    servers: frozenset[str]
    until: float = FOREVER
    """When it was switched on again."""


@dataclass
class Facts:
    """What was true, in the order of time."""

    stays: list[Stay] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    """Those that show already in the records alone."""
    guests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The servers that each host has a guest of in the end, which may be off."""

    def dark(self, host: str, at: float) -> bool:
        return any(d.host == host and d.at <= at < d.until for d in self.deaths)

    def dark_at_last(self, host: str) -> bool:
        return any(d.host == host and d.until == FOREVER for d in self.deaths)

    def ran_until(self, death: Death, server: str) -> bool:
        """Whether the death ended it; else it was stopped already."""
        its = (death.host, death.at)
        return any((s.host, s.until) == its for s in self.stays if s.server == server)

    def runs_at_last(self, server: str) -> set[str]:
        """The hosts that it runs on in the end."""
        last = (s for s in self.stays if s.server == server and s.until == FOREVER)
        return {stay.host for stay in last}


class _Reader:
    """Reads all lines in the order of time."""

    def __init__(self) -> None:
        self.facts = Facts()
        self._running: dict[tuple[str, str], float] = {}
        self._place: dict[str, str] = {}
        self._disk: dict[str, str] = {}

    def read(self, line: Mapping[str, Any]) -> None:
        reader = {
            "run": self._run,
            "stop": self._stop,
            "gone": self._gone,
            "boot": self._boot,
            "on": self._on,
            "off": self._off,
        }.get(line["event"])
        if reader:
            reader(line)

    def end(self) -> Facts:
        for (server, host), since in self._running.items():
            self.facts.stays.append(Stay(server, host, since))
        return self.facts

    def _run(self, line: Mapping[str, Any]) -> None:
        server, host, at = line["server"], line["host"], line["at"]
        self._check_disk(line)
        self._running.setdefault((server, host), at)
        if line.get("rebuilt"):
            self._arrive(server, host, at)
        self.facts.guests[host].add(server)
        self._place[server] = host

    def _arrive(self, server: str, host: str, at: float) -> None:
        source = self._place.get(server, "")
        if source != host:
            self.facts.arrivals.append(Arrival(server, source, host, at))
        elif server in self.facts.guests[host]:
            self._breach(f"{server} was evacuated to {host} twice")

    def _check_disk(self, line: Mapping[str, Any]) -> None:
        server, disk = line["server"], line["disk"]
        first = self._disk.setdefault(server, disk)
        if disk != first:
            self._breach(f"{server} ran on {line['host']} with a disk in {disk}")
        elif line.get("made") and server in self._place:
            self._breach(f"{server} lost its disk: {line['host']} made a new one")

    def _stop(self, line: Mapping[str, Any]) -> None:
        since = self._running.pop((line["server"], line["host"]), None)
        if since is not None:
            stay = Stay(line["server"], line["host"], since, line["at"])
            self.facts.stays.append(stay)

    def _gone(self, line: Mapping[str, Any]) -> None:
        self._stop(line)
        self.facts.guests[line["host"]].discard(line["server"])

    def _boot(self, line: Mapping[str, Any]) -> None:
        for server, host in list(self._running):
            if host == line["host"]:
                self._stop({**line, "server": server})

    def _on(self, line: Mapping[str, Any]) -> None:
        for death in self.facts.deaths:
            if death.host == line["host"] and death.until == FOREVER:
                death.until = line["at"]

    def _off(self, line: Mapping[str, Any]) -> None:
        self._boot(line)
        host = line["host"]
        here = (s for s in self.facts.guests[host] if self._place[s] == host)
        servers = frozenset(here)  # not the old copies of what was evacuated
        self.facts.deaths.append(Death(line["host"], line["at"], servers))

    def _breach(self, text: str) -> None:
        self.facts.breaches.append(text)


def facts(records: Mapping[str, Lines], switched: Lines) -> Facts:
    """What was true.

    :param records: by host, as Stack.records() has it.
    :param switched: as Stack.switched() has it.
    """
    lines = [*switched, *(line for its in records.values() for line in its)]
    reader = _Reader()
    for line in sorted(lines, key=itemgetter("at")):
        reader.read(line)
    return reader.end()


def breaches(
    found: Facts,
    history: Iterable[Mapping[str, Any]],
    protected: Collection[str],
    deleted: Collection[str] = (),
    early: Collection[str] = (),
) -> list[str]:
    """What broke a safety rule; an empty list if nothing did.

    :param history: ``nova-ha history show RECOVERY -f json`` of all recoveries.
    :param protected: the servers that have to be recovered.
    :param deleted: those that their owners have deleted meanwhile.
    :param early: hosts that somebody has switched on again before their servers were
        recovered. What leaves them then has to have been fenced, and not to run.
    """
    shown = list(history)
    return [
        *physical(found, early),
        *_asked_too_early(found, shown, early),
        *_forgotten(found, shown, set(protected) - set(deleted)),
        *_incomplete_history(found, shown),
    ]


def physical(found: Facts, early: Collection[str] = ()) -> list[str]:
    """The same of what can be said at any moment, without the history."""
    return [*found.breaches, *_two_at_once(found), *_without_proof(found, early)]


def _two_at_once(found: Facts) -> Iterable[str]:
    """No server runs on two hosts at once."""
    by_server = defaultdict(list)
    for stay in found.stays:
        by_server[stay.server].append(stay)
    for server, stays in by_server.items():
        stays.sort(key=lambda stay: stay.since)
        for index, stay in enumerate(stays):
            for later in stays[index + 1 :]:
                if later.host != stay.host and later.since < stay.until:
                    yield f"{server} ran on {stay.host} and {later.host} at once"


def _without_proof(found: Facts, early: Collection[str]) -> Iterable[str]:
    """No server comes up elsewhere while its host has power."""
    for arrival in found.arrivals:
        died = any(d.host == arrival.source for d in found.deaths if d.at < arrival.at)
        back = arrival.source in early and died
        if not (back or found.dark(arrival.source, arrival.at)):
            yield (
                f"{arrival.server} was evacuated to {arrival.host}, and "
                f"{arrival.source} had power"
            )


def _asked_too_early(
    found: Facts, history: Lines, early: Collection[str]
) -> Iterable[str]:
    """No evacuation is asked for before the proof, or while the host has power."""
    for recovery in history:
        host = recovery["host"]
        asked = [e for e in recovery["events"] if e["kind"] == "server.asked"]
        proven = [e["at"] for e in recovery["events"] if e["kind"] == "host.fenced"]
        for event in asked:
            if not proven or event["at"] < min(proven):
                yield (
                    f"{recovery['recovery']}: {event['server']} was evacuated without "
                    "a proof in the history"
                )
            # Shown in whole seconds.
            at = _seconds(event["at"])
            if host not in early and not any(
                found.dark(host, at + part) for part in (0, 0.999)
            ):
                yield f"{event['server']}: asked to leave {host}, which had power"


def _forgotten(
    found: Facts, history: Lines, protected: Collection[str]
) -> Iterable[str]:
    """Each server of a dead host runs, or the history says why it does not."""
    for death in found.deaths:
        rows = {
            row["server"]: row
            for recovery in history
            if recovery["host"] == death.host and _is_open(recovery, death.at)
            for row in recovery["servers"]
        }
        for server in sorted(death.servers & set(protected)):
            row = rows.get(server)
            if row is None and not _accounted(found, death, server):
                yield f"{server} was on {death.host} when it died, and is forgotten"
            elif (
                row
                and row["outcome"] == "recovered"
                and not (_is_there(found, server) or _died_again(found, death, server))
            ):
                yield f"{server} is called recovered, and is nowhere"


def _is_open(recovery: Mapping[str, Any], at: float) -> bool:
    """Whether a recovery was there then, or began soon after: shown in seconds."""
    began, ended = _seconds(recovery["began"]), recovery["ended"]
    return began <= at + _SOON and (not ended or _seconds(ended) + 1 > at)


def _accounted(found: Facts, death: Death, server: str) -> bool:
    """Whether it has left since, or its host is back, and it runs there if it did."""
    gone = (a for a in found.arrivals if a.at >= death.at)
    if any((a.server, a.source) == (server, death.host) for a in gone):
        return True
    if found.ran_until(death, server):
        return death.host in found.runs_at_last(server)
    return not found.dark_at_last(death.host)


def _died_again(found: Facts, death: Death, server: str) -> bool:
    """Whether its next host has died, too: see there."""
    later = (each for each in found.deaths if each.at > death.at)
    return any(server in each.servers for each in later)


def _is_there(found: Facts, server: str) -> bool:
    """Whether it is on a host that has power; it may be stopped."""
    place = [a.host for a in found.arrivals if a.server == server][-1:]
    hosts = found.runs_at_last(server) or set(place)
    return any(not found.dark_at_last(host) for host in hosts)


def _incomplete_history(
    found: Facts, history: list[Mapping[str, Any]]
) -> Iterable[str]:
    """The history has each evacuation, each has an end, and each end a reason."""
    for recovery in history:
        if recovery["under_way"]:
            yield f"{recovery['recovery']} has not ended"
        for row in recovery["servers"]:
            if row["outcome"] not in _FINAL:
                yield f"{row['server']} of {row['from']} is still {row['outcome']}"
            elif row["outcome"] != "recovered" and not row["reason"]:
                yield f"{row['server']} {row['outcome']}, and the history has no reason"
            elif row["outcome"] == "recovered" and not _came(found, recovery, row):
                yield f"{row['server']} never came up on {row['to']}"
    for arrival in found.arrivals:
        if not any(_tells(recovery, arrival) for recovery in history):
            yield f"{arrival.server} left {arrival.source}; the history does not know"


def _tells(recovery: Mapping[str, Any], arrival: Arrival) -> bool:
    """Whether a recovery has a server that has arrived somewhere.

    What it left may be a host that died before Nova knew that it was there.
    """
    told = any(
        row["server"] == arrival.server
        and (row["from"] == arrival.source or row["to"] == arrival.host)
        for row in recovery["servers"]
    )
    return told and _is_open(recovery, arrival.at)


def _came(found: Facts, recovery: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether what the history says of a server's new host is true."""
    return any(
        (a.server, a.host) == (row["server"], row["to"])
        for a in found.arrivals
        if _is_open(recovery, a.at)
    )


def _seconds(shown: str) -> float:
    return datetime.datetime.fromisoformat(shown).timestamp()
