# SPDX-License-Identifier: Apache-2.0
"""``nova-ha maintenance start``, ``end``: a host that is left alone for a while."""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cliff.lister import Lister
from cliff.show import ShowOne
from oslo_utils import uuidutils

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import history_rows, maintenance_rows
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.times import FORMS, TellInstant, ahead
from nova_ha_scheduler.cli.until_done import UntilDone, draw_bar
from nova_ha_scheduler.cli.values import duration, words
from nova_ha_scheduler.cli.who import ordering, signed
from nova_ha_scheduler.journal.history import HistoryQuery
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.maintenance_window import (
    Window,
    WindowPhase,
    WindowState,
)
from nova_ha_scheduler.records.move import Move, MovePhase, MoveState
from nova_ha_scheduler.service.parts import Parts

_HOLDS = 600.0
"""Seconds for which an order waits for a trigger to take it."""

_SOON = 120.0
"""Seconds in which the flag and the service should be as they were ordered."""


def _arguments(add: Callable[..., Any]) -> None:
    add("host", type=words, help="the compute service's exact host name")
    ordering(add)
    help = "wait no longer than that (2m; with --wait as long as it takes)"
    add("--timeout", type=duration, metavar="AGE", help=help)


def _order(
    kind: CommandKind, args: argparse.Namespace, reason: str, **more: Any
) -> Command:
    now, id = time.time(), uuidutils.generate_uuid()
    whose = signed(args.by), reason
    return Command(id, kind, args.host, *whose, now, now + _HOLDS, **more)


def _patience(args: argparse.Namespace) -> float | None:
    """Seconds; None: for ever."""
    limit: float | None = args.timeout
    return limit or (None if args.wait else _SOON)


class Start(BaseCommand, Lister):
    """Leave a host alone: nothing is moved to it, and it is not recovered.

    Its flag is set in a host aggregate, and its service disabled. The active trigger
    does it; without one, this program does it itself, for this host alone.
    """

    short = ("name", "to", "how", "outcome", "reason")
    empty = ""  # a sentence says that it has begun

    def arguments(self, add: Callable[..., Any]) -> None:
        _arguments(add)
        given: dict[str, Any] = {"type": words, "metavar": "TEXT", "required": True}
        add("--reason", help="why", **given)
        given = {"type": ahead, "action": TellInstant, "metavar": "TIME"}
        add("--until", help=f"when it ends: {FORMS}, or in 15m, 2h, 3d", **given)
        add("--drain", action="store_true", help="move its servers away")
        add("--wait", action="store_true", help="with --drain: follow it to its end")

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        if args.wait and not args.drain:
            self.parser.error("--wait is for --drain")
        more = {"until": args.until, "drain": args.drain}
        kind = CommandKind.START_MAINTENANCE
        order = _order(kind, args, args.reason, **more)
        follower = _Starter(self.app.conf, order, args.wait)
        self.code = follower.follow(_patience(args))
        if args.drain and not args.wait and follower.alone and self.code == exits.DONE:
            words = "no trigger runs: its servers stay until one does, or use --wait"
            print(f"{args.host}: {words}", file=sys.stderr)
        rows = [maintenance_rows.move_row(move) for move in follower.moves]
        return maintenance_rows.MOVE, [tuple(row.values()) for row in rows]


class End(BaseCommand, ShowOne):
    """Give a host back: its flag goes, and its service is enabled.

    What moves is followed to its end before. A host that is down stays under
    maintenance until it is up.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        _arguments(add)
        add("--reason", type=words, metavar="TEXT", help="why")
        add("--wait", action="store_true", help="until it is given back")
        add(
            "--force",
            action="store_true",
            help="even if it is down: from then on, it may be fenced and evacuated",
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        kind = CommandKind.END_MAINTENANCE
        order = _order(kind, args, args.reason or "", force=args.force)
        follower = _Ender(self.app.conf, order, args.wait)
        self.code = follower.follow(_patience(args))
        row = (
            maintenance_rows.row(follower.window, follower.moves)
            if follower.window
            else {}
        )
        return tuple(row), tuple(row.values())


class _Follower(UntilDone):
    """Gives an order about a host's maintenance, and watches what comes of it.

    :ivar window, moves: as they were when they were last looked at.
    """

    def __init__(self, conf: Any, command: Command, wait: bool) -> None:
        parts = Parts(conf, only=(command.host,))
        if not wait:  # nobody would follow what this program begins to move
            parts.options = replace(parts.options, maintenance_max_in_flight=0)
        parts.database.upgrade()
        super().__init__(parts, command)
        self._command = command
        self._wait = wait
        self.window: Window | None = None
        self.moves: list[Move] = []
        self.alone = False

    def _waiting(self) -> str:
        return "" if self.moves else "Waiting until it is as it was ordered"

    def _look(self) -> int | None:
        self.alone = self._service.journal.active
        command = self._service.journal.command(self._command.id)
        if command is None or not command.answer:
            return None
        if command.refusal is not None:
            self._say(command, command.answer)
            if not self._follows(command.refusal):
                return exits.REFUSED
        found = self._history.windows(HistoryQuery(host=command.host, limit=1))
        if not found:
            return None
        self.window = found[0]
        self.moves = self._history.moves(self.window.id)
        if self.moves and sys.stderr.isatty():
            ended = sum(move.state.final for move in self.moves)
            draw_bar(history_rows.counts(self.moves, MoveState), ended)
        return self._judge(self.window)

    def _follows(self, refusal: Reason) -> bool:
        """Whether what was ordered before is waited for all the same."""
        return False

    def _judge(self, window: Window) -> int | None:
        """The exit code, once it is known."""
        raise NotImplementedError


class _Starter(_Follower):
    def _follows(self, refusal: Reason) -> bool:
        # A drain that is no news is under way, or waits for a trigger.
        return self._wait and refusal is Reason.IN_WINDOW

    def _judge(self, window: Window) -> int | None:
        if window.state is WindowState.STARTING:
            self._say(self._command, window.sentence)
            return None
        if window.state is not WindowState.OPEN:
            self._say(self._command, "its maintenance has ended meanwhile")
            return exits.PARTLY
        if not self._wait:
            self._say(self._command, f"it is under maintenance, {window.words}")
            return exits.DONE
        if window.drained_at is None:
            if window.phase is WindowPhase.UNREADABLE:
                self._say(self._command, window.sentence)
            return None
        left = [move for move in self.moves if not _is_away(move)]
        names = ", ".join(f"{move.name} ({move.sentence})" for move in left)
        words = f"left: {names}" if left else f"it is empty, {len(self.moves)} moved"
        self._say(self._command, words)
        return exits.PARTLY if left else exits.DONE


class _Ender(_Follower):
    def _judge(self, window: Window) -> int | None:
        if window.state is WindowState.ENDED:
            self._say(self._command, "its maintenance has ended")
            return exits.DONE
        self._say(self._command, window.sentence)
        return None if self._wait or not window.reason else exits.PARTLY


def _is_away(move: Move) -> bool:
    return move.state is MoveState.MOVED or move.phase is MovePhase.GONE
