# SPDX-License-Identifier: Apache-2.0
"""``nova-ha check``."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from cliff.lister import Lister
from oslo_config import cfg

from nova_ha_scheduler.cli import clouds
from nova_ha_scheduler.cli.app import Command
from nova_ha_scheduler.doctor import checks
from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.gather import Gatherer

Found = list[tuple[str, Finding]]


class Check(Command, Lister):
    """Find what keeps a recovery, or the scheduler plugin, from doing its work.

    Looks at nova-ha.conf, the journal, the fencing file and each fence device, at the
    cloud with all its hosts, flavors and servers, and at Nova's configuration if it
    is given. Nothing is changed. With --from-file, a snapshot stands for the cloud,
    and neither the cloud nor a device nor the journal is asked.
    """

    short = ("check", "finding")

    def arguments(self, add: Callable[..., Any]) -> None:
        add(
            "--nova-conf",
            action="append",
            default=[],
            metavar="PATH",
            help="the nova.conf of a host that runs nova-scheduler, or of a compute "
            "host; may be repeated, as Nova's --config-file may",
        )
        clouds.arguments(add)
        add(
            "--fail-on",
            choices=[Severity.WARNING.name.lower(), Severity.ERROR.name.lower()],
            default=Severity.WARNING.name.lower(),
            help="the least severity that counts for the exit code (default: warning)",
        )
        add(
            "--all",
            action="store_true",
            help="show also the checks that found nothing, and those left out",
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        found, passed, left_out = self._examine(args)
        found.sort(key=lambda item: -item[1].severity)
        worst = max((finding.severity for _, finding in found), default=Severity.INFO)
        if worst >= Severity[args.fail_on.upper()]:
            self.code = int(worst)
        self._sum_up(found, len(passed), left_out)
        more = []
        if args.all:
            more = [(name, "ok", "") for name in passed]
            more += [(name, "left out", why) for name, why in left_out]
        if self.is_short(args):
            return self.short, [
                *((f"{_severity(f)}\n{name}", _text(f)) for name, f in found),
                *((f"{state}\n{name}", why) for name, state, why in more),
            ]
        return ("severity", "check", "what", "why", "mend"), [
            *((_severity(f), name, f.what, f.why, f.mend) for name, f in found),
            *((state, name, why, "", "") for name, state, why in more),
        ]

    def _examine(
        self, args: argparse.Namespace
    ) -> tuple[Found, list[str], Sequence[tuple[str, str]]]:
        """What was found, the checks that found nothing, and those left out."""
        try:
            gatherer = Gatherer(self.app.conf)
        except cfg.Error as error:
            why, mend = "Nothing else can be examined.", "mend nova-ha.conf"
            finding = Finding(Severity.ERROR, str(error), why, mend)
            return [("configuration", finding)], [], ()
        if args.nova_conf:
            gatherer.read_nova_conf(args.nova_conf)
        if clouds.is_live(args):
            fencing = gatherer.try_parts()
            gatherer.ask_cloud()
            if fencing is not None:
                gatherer.ask_devices(fencing)
        else:
            gatherer.read_picture(lambda: clouds.load(self.app.conf, args))
        examined = checks.examine(gatherer.subject)
        found = [*gatherer.found, *examined.findings]
        return found, [*gatherer.done, *examined.passed], examined.left_out

    def _sum_up(
        self,
        found: Found,
        passed: int,
        left_out: Sequence[tuple[str, str]],
    ) -> None:
        counts = [
            _count(sum(f.severity is severity for _, f in found), severity.name.lower())
            for severity in reversed(Severity)
        ]
        line = f"{', '.join(counts)}; {_count(passed, 'check')} found nothing"
        reasons = sorted({why for _, why in left_out})
        if reasons:
            line += f"; {len(left_out)} left out: {'; '.join(reasons)}"
        print(line, file=sys.stderr)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _severity(finding: Finding) -> str:
    return finding.severity.name.lower()


def _text(finding: Finding) -> str:
    """What people read, in lines."""
    return f"{finding.what}\n{finding.why}\nTo mend: {finding.mend}"
