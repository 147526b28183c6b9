# SPDX-License-Identifier: Apache-2.0
"""Where ``nova-ha`` and ``nova-ha-evacuator`` begin.

Nova's hosts have this package for its filters, and need nothing of what the trigger
and its commands are made with. Imports nothing of that.
"""

import contextlib
import gc
import importlib
import sys
from collections.abc import Iterator
from importlib import metadata

from nova_ha_scheduler.exits import CANNOT_TELL, INTERRUPTED, WRONG

PROJECT, _EXTRA = "nova-ha-scheduler", "evacuator"

_GARBAGE = 100_000
"""Objects by which the number of all may grow before it is looked for garbage."""


def nova_ha() -> int:
    """:returns: the exit code."""
    # What is imported is no garbage; to look for some in it, again and again, takes a
    # sixth of a short command's time.
    gc.disable()
    try:
        return _run("nova-ha", "nova_ha_scheduler.cli.app")
    finally:
        gc.freeze()  # else Python would look through all of it once more


def imported() -> None:
    """Look for garbage from now on, but not in what is there already, and seldom: a
    command may go on to import as much again."""
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    gc.enable()


def evacuator() -> int:
    """:returns: the exit code."""
    return _run("nova-ha-evacuator", "nova_ha_scheduler.service.main")


def _run(prog: str, module: str) -> int:
    try:
        with complete(prog):
            main = importlib.import_module(module).main
        return int(main())
    except KeyboardInterrupt:  # Ctrl-C, wherever the program is by then
        return INTERRUPTED


@contextlib.contextmanager
def complete(prog: str) -> Iterator[None]:
    """What fails in the block because the extra is not all there is said as that.

    :raises SystemExit: the sentence is on standard error.
    """
    try:
        yield
    except Exception:
        if not (lacks := lacking(PROJECT, _EXTRA)):
            raise
        print(
            f"{prog}: not installed: {', '.join(lacks)}. "
            f"Install what it needs: pip install '{PROJECT}[{_EXTRA}]'",
            file=sys.stderr,
        )
        # To monitoring, 2 would be an alarm.
        asks_health = prog == "nova-ha" and "health" in sys.argv[1:]
        raise SystemExit(CANNOT_TELL if asks_health else WRONG) from None


def lacking(project: str, extra: str) -> list[str]:
    """What an extra of an installed project asks for, and is not installed, or is too
    old or too new; also what those ask for by extras of theirs."""
    from packaging.requirements import Requirement  # for nobody who has it all

    found = []
    for line in metadata.requires(project) or ():
        needs = Requirement(line)
        marker = needs.marker
        if marker is None or marker.evaluate({"extra": ""}):
            continue  # everybody's, or not for this Python
        if not marker.evaluate({"extra": extra}):
            continue
        try:
            version = metadata.version(needs.name)
        except metadata.PackageNotFoundError:
            found.append(needs.name)
            continue
        if not needs.specifier.contains(version, prereleases=True):
            found.append(f"{needs.name}{needs.specifier} ({version} is)")
        for its in sorted(needs.extras):
            found += lacking(needs.name, its)
    return found
