# SPDX-License-Identifier: Apache-2.0
"""``nova-ha status``."""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Any

from cliff.show import ShowOne

from nova_ha_scheduler.cli import (
    history_rows,
    last_errors,
    maintenance_rows,
    pauses,
    reserve_use,
)
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.table import line_length, wrap
from nova_ha_scheduler.cli.values import NOTHING, Moment, Rows, human, in_local
from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.judgement import Judgement, judge
from nova_ha_scheduler.health.problems import Kind, Problem
from nova_ha_scheduler.health.report import HostNote as Told
from nova_ha_scheduler.health.report import Report
from nova_ha_scheduler.health.troubles import Trouble
from nova_ha_scheduler.journal import health_facts
from nova_ha_scheduler.journal.history import History
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.printable import first_of
from nova_ha_scheduler.records.events import EventKind
from nova_ha_scheduler.records.host_recovery import HostRecovery
from nova_ha_scheduler.records.state import State

_SAID_ABOVE = ("health", "problems", "broken_devices", "without_fencing_method")

_AS_PROBLEM = {
    EventKind.DEVICE_BROKEN.value: Kind.DEVICE_BROKEN,
    EventKind.METHOD_MISSING.value: Kind.NO_METHOD,
}
"""Events that are a problem, too, while they last."""

_NO_REPORT = Report("", at=0.0, valid=0.0, skew=0.0, stepped_at=0.0)
"""Of a trigger that is dead nothing is said: it may have been long ago."""

_HOSTS = 5
"""How many hosts of one problem are named at most."""

_PROBLEMS = 10
"""How many are shown to people at most; a whole rack may have lost its power."""


class Status(BaseCommand, ShowOne):
    """Show whether the hosts are protected, what to do next, and what the trigger does.

    All of it is in the journal but one thing: which hosts of the reserve are in use.
    The cloud is asked for that; if it does not answer, reserve_unknown says why.
    """

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        journal, now = SqlJournal(self.app.database), time.time()
        found = health_facts.gather(journal, now)
        self._judgement = judgement = judge(found, now)
        said, state = found.report if judgement.alive else None, found.state
        hosts = [h for h in state.hosts.values() if h.ended_at is None]
        hosts.sort(key=attrgetter("host"))
        told = said or _NO_REPORT
        answers = {each.host: each for each in told.answers}
        orders = [
            {
                "host": order.host,
                "command": order.kind.value,
                "by": order.by,
                "waits": order.waits,
            }
            for order in state.commands.values()
        ]
        held = [pause for pause in state.pauses.values() if not pause.is_over(now)]
        status = {
            **_health(judgement),
            "active_trigger": found.holder if judgement.alive else "none",
            "cloud_seen_at": Moment(told.seen_at),
            "guard_tripped_until": Moment(state.guard.tripped_until),
            "guard_reason": state.guard.reason,
            "blind_since": Moment(_blind_since(state, told)),
            "pauses": Rows([pauses.row(pause) for pause in held], pauses.line),
            "hosts": Rows(
                [_host(state, host, answers.get(host.host)) for host in hosts],
                _host_line,
            ),
            "maintenances": Rows(
                maintenance_rows.open_windows(state), maintenance_rows.line
            ),
            **self._reserve(),
            "going_home": Rows(maintenance_rows.going_home(state)),
            "without_fencing_method": Rows(_devices(told.unfenceable), _device_line),
            "broken_devices": Rows(_devices(told.broken), _device_line),
            "commands_waiting": Rows(orders),
            "last_errors": Rows(
                last_errors.found(History(self.app.database), now), last_errors.line
            ),
        }
        return tuple(status), tuple(status.values())

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Any, data: Any
    ) -> int:
        """To people: what is wrong and what to do, then what there is beside it."""
        if parsed_args.formatter == "table" and not parsed_args.columns:
            size = line_length(self.app.stdout, parsed_args)
            for line in _advice(self._judgement):
                self.app.stdout.writelines(f"{part}\n" for part in _wrapped(line, size))
            all_ = dict(zip(column_names, data, strict=True))
            above = {(p.kind, p.host) for p in self._judgement.problems}
            all_["last_errors"] = all_["last_errors"].where(
                lambda error: (
                    (_AS_PROBLEM.get(error["kind"]), error["host"]) not in above
                )
            )
            shown = [
                (name, value)
                for name, value in all_.items()
                if name not in _SAID_ABOVE and human(value) != NOTHING
            ]
            column_names, data = zip(*shown, strict=True)
        return super().produce_output(parsed_args, column_names, data)

    def _reserve(self) -> dict[str, Any]:
        try:
            found = Rows(reserve_use.in_use(self.app.conf))
        except CloudUnreachable as error:
            return {"reserve_in_use": None, "reserve_unknown": str(error)}
        return {"reserve_in_use": found, "reserve_unknown": None}


def _health(judgement: Judgement) -> dict[str, Any]:
    """The same as nova-ha health says, for programs."""
    found = file.plain(judgement)
    problems = found.pop("problems")
    return {"health": found, "problems": problems}


def _advice(judgement: Judgement) -> Iterator[str]:
    """The first lines, for people."""
    every = _of_many(judgement.problems)
    plural = "" if len(every) == 1 else "s"
    head = f"{judgement.code.words}: {len(every)} problem{plural}"
    yield head if every else judgement.line
    problems = every[:_PROBLEMS]
    for problem in problems:
        since = "" if problem.since is None else f" (since {in_local(problem.since)})"
        yield f"- {problem.what}{since}"
        yield f"  -> {problem.todo}"
    if more := len(every) - len(problems):
        yield f"- {more} more: nova-ha health -f json"


def _of_many(problems: Iterable[Problem]) -> list[Problem]:
    """What is the same of several hosts is one problem that names them."""
    alike: dict[tuple[Kind, tuple[str, ...]], list[Problem]] = defaultdict(list)
    for problem in problems:
        alike[problem.kind, problem.details].append(problem)
    return [
        replace(
            found[0],
            host=first_of([each.host for each in found], _HOSTS),
            since=min((p.since for p in found if p.since is not None), default=None),
        )
        for found in alike.values()
    ]


def _wrapped(line: str, size: int) -> Iterator[str]:
    """The line, whose other lines are indented as its text is."""
    text = line.lstrip("-> ")
    mark = line[: len(line) - len(text)]
    for part in wrap(text, size - len(mark)):
        yield f"{mark}{part}"
        mark = " " * len(mark)


def _blind_since(state: State, told: Report) -> float | None:
    """Since when nothing can be seen: the cloud, or a sign of life of any service."""
    unseen = [t.since for t in told.troubles if t.trouble == Trouble.CLOUD.name]
    silent = state.guard.blind_since
    return min([*unseen, *([] if silent is None else [silent])], default=None)


def _host(state: State, host: HostRecovery, answer: Told | None) -> dict[str, Any]:
    servers = [s for s in state.servers.values() if s.recovery == host.id]
    return {
        "host": host.host,
        "state": host.state.value,
        "since": Moment(host.stages.get(host.state.value)),
        "proof": str(host.evidence) if host.evidence else "",
        "progress": history_rows.progress(servers) if servers else _none_of(host),
        "reason": host.sentence,
        "device": answer.words if answer else "",
        **{
            word: number
            for word, number in history_rows.counts(servers).items()
            if number
        },
    }


def _none_of(host: HostRecovery) -> str:
    """What is said of its progress while no server of it is known."""
    return "no server to recover" if host.state.traits.with_servers else ""


def _devices(hosts: Iterable[Told]) -> list[dict[str, Any]]:
    return [
        {"host": told.host, "since": Moment(told.since), "reason": told.words}
        for told in hosts
    ]


def _device_line(row: dict[str, Any]) -> str:
    return f"{row['host']}: {row['reason']} (since {row['since']})"


def _host_line(row: dict[str, Any]) -> str:
    device = row["device"] and f"its fence device: {row['device']}"
    more = (row["progress"], device, row["reason"], row["proof"])
    told = "; ".join(filter(None, more))
    return f"{row['host']}: {row['state']} since {row['since']}; {told}".rstrip("; ")
