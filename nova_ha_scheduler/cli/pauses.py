# SPDX-License-Identifier: Apache-2.0
"""``nova-ha pause`` and ``nova-ha resume``: written into the journal, where they hold
at once, whether a trigger runs or not."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cliff.lister import Lister
from cliff.show import ShowOne
from oslo_utils import uuidutils

from nova_ha_scheduler.cli import quick_look
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.cli.times import FORMS, TellInstant, ahead
from nova_ha_scheduler.cli.values import Moment, words
from nova_ha_scheduler.cli.who import ordering, signed
from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.errors import CloudUnreachable, Refused
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records import pauses

_ID_LENGTH = 8


def row(pause: pauses.Pause) -> dict[str, Any]:
    """A pause as it is shown."""
    return {
        "id": pause.id,
        "scope": pause.scope,
        "by": pause.by,
        "reason": pause.reason,
        "since": Moment(pause.at),
        "until": Moment(pause.until),
    }


def line(row: dict[str, Any]) -> str:
    """The same for people."""
    until = f" until {row['until']}" if row["until"] else ""
    who = f"{row['scope']}{until} by {row['by']}: {row['reason']}"
    return f"{row['id']}: {who} (since {row['since']})"


class BeginPause(BaseCommand, ShowOne):
    """Begin nothing new for a host, a storage zone or, without either, for any host.

    What is under way is finished: a fence, and evacuations that Nova was asked for.
    A pause holds at once, also while no trigger runs. Pauses are independent.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        add("host", nargs="?", type=words, help="the compute service's exact host name")
        add("--zone", type=words, help="the hosts in this storage zone")
        ordering(add)
        add("--reason", type=words, required=True, metavar="TEXT", help="why")
        add(
            "--until",
            type=ahead,
            action=TellInstant,
            metavar="TIME",
            help=f"when it ends by itself: {FORMS}, or in 90s, 15m, 2h, 3d",
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        if args.host and args.zone:
            self.parser.error("a host or --zone, not both")
        journal = SqlJournal(self.app.database)
        if args.host or args.zone:
            self._check(args)
        pause = pauses.Pause(
            id=uuidutils.generate_uuid(dashed=False)[:_ID_LENGTH],
            by=signed(args.by),
            reason=args.reason,
            at=time.time(),
            until=args.until,
            host=args.host,
            zone=args.zone,
        )
        journal.put_pauses([pause], [stopping.begun(pause)])
        found = row(pause)
        return tuple(found), tuple(found.values())

    def _check(self, args: argparse.Namespace) -> None:
        """A pause has to be possible while the cloud is out of order."""
        try:
            picture = quick_look.QuickLook(self.app.conf).hosts()
        except CloudUnreachable as error:
            what = f"host {args.host}" if args.host else f"zone {args.zone}"
            words = f"whether there is a {what} is not known: {error}"
            print(f"warning: {words}", file=sys.stderr)
            return
        if args.host:
            host_names.require(args.host, picture.hosts)
        else:
            quick_look.require_zone(picture, args.zone)


class Resume(BaseCommand, Lister):
    """End pauses: by their ids, those of a host, those of a zone, or all.

    A host goes on once no pause holds it any more: each has to be ended.
    """

    short = ("id", "scope", "by", "reason")

    def arguments(self, add: Callable[..., Any]) -> None:
        add("pause", nargs="*", type=words, help="a pause's id, or a host's exact name")
        add("--zone", type=words, help="the pauses of this storage zone")
        add("--all", action="store_true", help="every pause")
        ordering(add)

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        if sum(map(bool, (args.pause, args.zone, args.all))) != 1:
            self.parser.error("pauses or hosts, or --zone, or --all")
        journal = SqlJournal(self.app.database)
        known, now = journal.pauses(), time.time()
        chosen = _chosen(args, known)
        ended = [replace(p, ended_at=now, ended_by=signed(args.by)) for p in chosen]
        journal.put_pauses(ended, [stopping.resumed(pause) for pause in ended])
        for pause in known:
            if pause not in chosen and not pause.is_over(now):
                print(f"still paused: {pause} ({pause.id})", file=sys.stderr)
        rows = [row(pause) for pause in ended]
        return _COLUMNS, [tuple(found.values()) for found in rows]


_COLUMNS = tuple(row(pauses.Pause(id="", by="", reason="", at=0.0)))


def _chosen(
    args: argparse.Namespace, known: Sequence[pauses.Pause]
) -> list[pauses.Pause]:
    """The pauses that are meant; of --all, perhaps none.

    :raises Refused: of those that were named, there is none; it names others.
    """
    if args.all:
        return list(known)
    if args.zone:
        found = [pause for pause in known if pause.zone == args.zone]
        missing = [] if found else [f"there is no pause of zone {args.zone}"]
    else:
        wanted = set(args.pause)
        found = [pause for pause in known if wanted & {pause.id, pause.host}]
        met = {name for pause in found for name in (pause.id, pause.host)}
        missing = [
            f"there is no pause {name}, nor one of a host {name}"
            for name in sorted(wanted - met)
        ]
    if missing:
        others = "; ".join(f"{pause.id}: {pause}" for pause in known)
        raise Refused("; ".join(missing) + (f" (there is {others})" if others else ""))
    return found
