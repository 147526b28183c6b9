# SPDX-License-Identifier: Apache-2.0
"""``nova-ha check``."""

import argparse
import getpass
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cliff.lister import Lister
from oslo_config import cfg

from nova_ha_scheduler.cli import clouds, progress
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.doctor import checks
from nova_ha_scheduler.doctor.checks import LeftOut
from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.gather import Gatherer

Found = list[tuple[str, Finding]]

_ALIKE = 10
"""How many findings that differ only in what is found are shown to people."""


class CheckSetup(BaseCommand, Lister):
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
        try:
            found, passed, left_out = self._examine(args)
        except cfg.ConfigFilesPermissionDeniedError as error:
            print(
                f"{', '.join(error.config_files)} may not be read by "
                f"{getpass.getuser()}: root may, and the trigger's user "
                "(sudo -u nova-ha nova-ha check)",
                file=sys.stderr,
            )
            self.code = int(Severity.ERROR)
            return self.short, []
        found.sort(key=lambda item: -item[1].severity)
        worst = max((finding.severity for _, finding in found), default=Severity.INFO)
        if worst >= Severity[args.fail_on.upper()]:
            self.code = int(worst)
        if not all(check.chosen for check in left_out):
            self.code = int(Severity.ERROR)
        self._sum_up(args, found, len(passed), left_out)
        more = []
        if args.all:
            more = [(name, "ok", "") for name in passed]
            more += [(check.name, "left out", check.why) for check in left_out]
        if self.is_short(args):
            return self.short, [
                *(
                    (f"{severity}\n{name}", text)
                    for severity, name, text in _texts(found)
                ),
                *((f"{state}\n{name}", why) for name, state, why in more),
            ]
        return ("severity", "check", "what", "why", "mend"), [
            *((_severity(f), name, f.what, f.why, f.mend) for name, f in found),
            *((state, name, why, "", "") for name, state, why in more),
        ]

    def _examine(
        self, args: argparse.Namespace
    ) -> tuple[Found, list[str], Sequence[LeftOut]]:
        """What was found, the checks that found nothing, and those left out."""
        try:
            gatherer = Gatherer(self.app.conf)
        except cfg.ConfigFilesPermissionDeniedError:
            raise
        except cfg.Error as error:
            why, mend = "Nothing else can be examined.", "mend nova-ha.conf"
            finding = Finding(Severity.ERROR, str(error), why, mend)
            return [("configuration", finding)], [], ()
        if args.nova_conf:
            gatherer.read_nova_conf(args.nova_conf)
        if clouds.is_live(args):
            with progress.shown(lambda: gatherer.asks):
                fencing = gatherer.try_parts()
                gatherer.ask_cloud()
                if fencing is not None:
                    gatherer.ask_devices(fencing)
        else:
            gatherer.read_picture(lambda: clouds.load(self.app.conf, args))
        chosen = set() if clouds.is_live(args) else {*checks.CHOSEN} - {"nova"}
        if not args.nova_conf:
            chosen.add("nova")
        examined = checks.examine(gatherer.subject, chosen)
        found = [*gatherer.found, *examined.findings]
        return found, [*gatherer.done, *examined.passed], examined.left_out

    def _sum_up(
        self,
        args: argparse.Namespace,
        found: Found,
        passed: int,
        left_out: Sequence[LeftOut],
    ) -> None:
        """Below the table; to programs, on standard error, if not all is well."""
        counts = [
            _count(sum(f.severity is severity for _, f in found), severity.name.lower())
            for severity in reversed(Severity)
        ]
        line = f"{', '.join(counts)}; {_count(passed, 'check')} passed"
        if left_out:
            reasons = sorted({check.why for check in left_out})
            line += f"; {len(left_out)} left out: {'; '.join(reasons)}"
        if args.formatter == "table":
            self.below = [line]
        elif self.code:
            print(line, file=sys.stderr)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _severity(finding: Finding) -> str:
    return finding.severity.name.lower()


def _texts(found: Found) -> Iterator[tuple[str, str, str]]:
    """What people read, in lines: what matters for the same reason, and is mended in
    the same way, is one text. With its severity and the check's name."""
    alike: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for name, finding in found:
        alike[_severity(finding), name, finding.why, finding.mend].append(finding.what)
    for (severity, name, why, mend), whats in alike.items():
        lines = whats if len(whats) == 1 else [f"- {what}" for what in whats[:_ALIKE]]
        if len(whats) > _ALIKE:
            lines.append(f"- {len(whats) - _ALIKE} more: nova-ha check -f json")
        yield severity, name, "\n".join([*lines, why, f"To mend: {mend}"])
