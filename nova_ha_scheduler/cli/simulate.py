# SPDX-License-Identifier: Apache-2.0
"""``nova-ha simulate``."""

import argparse
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cliff.lister import Lister
from oslo_config import cfg

from nova_ha_scheduler import exits
from nova_ha_scheduler.cli import clouds, progress
from nova_ha_scheduler.cli.app import BaseCommand
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal import conf as journal_conf
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.kept_decisions import Decisions
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.simulation import cloud
from nova_ha_scheduler.simulation.journal import KeptJournal
from nova_ha_scheduler.simulation.runner import Simulation
from nova_ha_scheduler.simulation.script import Script, verbs
from nova_ha_scheduler.simulation.verdict import Ending, judge
from nova_ha_scheduler.simulation.words import BadScenario

_SILENCE = 300.0
"""Seconds without a line after which nothing more is expected."""

_LONGEST = 7200.0
"""Seconds after the last line of the scenario, at most."""

_KILL_AT = 30.0


class Simulate(BaseCommand, Lister):
    """Play what could happen, on a picture of the cloud, with the trigger itself.

    Hosts die, fence devices fail, people give orders: the trigger's own code acts on
    a simulated Nova and a virtual clock, with the options of nova-ha.conf. Nothing
    real is asked or changed, but for the picture, where no file is given. Shows the
    timeline: seconds since the beginning, and what was ordered (>), written into the
    history, or done by Nova and the devices.

    A scenario has lines ``at SECONDS VERB WORD...``; # begins a comment, and ``at
    SECONDS end`` ends it. Without an end, it ends when nothing more happens.
    """

    def arguments(self, add: Callable[..., Any]) -> None:
        clouds.arguments(add)
        add("--scenario", type=Path, metavar="FILE", help="what happens, and when")
        add("--verbs", action="store_true", help="list what a scenario may say")
        add(
            "--kill",
            action="append",
            default=[],
            metavar="HOST[@SECONDS]",
            help="cut this host's power (at second 30); may be repeated",
        )
        add(
            "--nova",
            action="append",
            default=[],
            metavar="SETTING=SECONDS",
            help="how the simulated Nova is: service_down_time, report_interval, "
            "rebuild, schedule, boot, cleanup; may be repeated",
        )
        add(
            "--journal",
            type=Path,
            metavar="FILE",
            help="keep the history there (sqlite; must not exist), for nova-ha history "
            "and replay",
        )

    def take_action(self, args: argparse.Namespace) -> tuple[Any, Any]:
        if args.verbs:
            return ("verb", "meaning"), sorted(verbs().items())
        conf = self.app.conf
        options = trigger_conf.options(conf)
        nova = cloud.nova(args.nova)
        text = _scenario(args)
        picture = clouds.load(conf, args)
        rows: list[tuple[float, str]] = []

        def say(at: float, words: str) -> None:
            rows.append((at, words))

        world = cloud.world(
            picture, options, nova, lambda words: say(simulation.passed, words)
        )
        with _journal(args.journal) as (journal, decisions):
            simulation = Simulation(
                world,
                options,
                journal=journal,
                keep=decisions.keep if args.journal else None,
            )
            simulation.poll = max(1, round(conf.detection.poll_interval))
            simulation.follow = max(1, round(conf.evacuation.follow_interval))
            script = Script(simulation, say)
            with progress.shown(lambda: f"Playing it: second {simulation.passed:.0f}"):
                try:
                    steps = script.read(text)
                    script.play(steps)
                except BadScenario as error:
                    source = args.scenario or "--kill"
                    raise BadScenario(f"{source}: {error}") from error
                if steps[-1].do is not None:
                    _rest(script, rows, options.down_time + nova.service_down_time)
        verdict = judge(world, simulation.journal.state, options)
        self.code = exits.DONE if verdict.good else exits.ERROR
        rows += [(simulation.passed, words) for words in _end(verdict)]
        return ("second", "what"), [(f"{at:g}", words) for at, words in rows]


def _scenario(args: argparse.Namespace) -> str:
    """The text of the scenario. :raises BadScenario: there is none."""
    if args.scenario and args.kill:
        raise BadScenario("--scenario and --kill: give one of them")
    if args.scenario:
        try:
            found = str(args.scenario.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            words = getattr(error, "strerror", None) or error
            raise BadScenario(f"{args.scenario}: {words}") from error
        return found
    if not args.kill:
        raise BadScenario("what is to happen? --scenario FILE or --kill HOST")
    kills = []
    for kill in args.kill:
        host, _, at = kill.partition("@")
        if at and not re.fullmatch(r"\d+", at):
            raise BadScenario(f"--kill {kill}: not HOST@SECONDS")
        kills.append((float(at or _KILL_AT), host))
    lines = (f"at {at:g} power off '{host}'" for at, host in sorted(kills))
    return "\n".join(lines)


def _rest(script: Script, rows: list[tuple[float, str]], unseen: float) -> None:
    """Let everything come to its end.

    :param unseen: for how long a death may go unseen.
    """
    began = script.simulation.passed
    while (now := script.simulation.passed) < began + _LONGEST:
        last = rows[-1][0] if rows else began
        if now > max(began + unseen, last) + _SILENCE:
            return
        script.until(now + 1)


@contextmanager
def _journal(path: Path | None) -> Iterator[tuple[KeptJournal, Decisions]]:
    """A real one, kept or not. :raises BadScenario: it is there already."""
    if path is not None and path.exists():
        raise BadScenario(f"{path}: it exists already")
    with tempfile.TemporaryDirectory() as folder:
        place = path or Path(folder, "journal.sqlite")
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        journal_conf.register_opts(conf)
        url = f"sqlite:///{place.absolute()}"
        conf.set_override("connection", url, group="database")
        database = Database(conf)
        try:
            database.upgrade()
            journal = SqlJournal(database)
            if not journal.acquire():
                raise JournalError(f"{place}: another trigger is active on it")
            yield KeptJournal(journal), Decisions(database)
            journal.release()
        finally:
            database.dispose()


def _end(verdict: Ending) -> Iterator[str]:
    """What became of it, and a summary for people."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for lost in verdict.lost:
        alike[lost.host, lost.why].append(lost.name)
    for (host, why), servers in alike.items():
        yield f"NOT RECOVERED {', '.join(servers)} on {host}: {why}"
    for breach in verdict.breaches:
        yield f"BREACH {breach}"
    counts = f"{verdict.recovered} servers recovered, {len(verdict.lost)} not"
    print(f"{counts}; {len(verdict.breaches)} safety rules broken", file=sys.stderr)
