# SPDX-License-Identifier: Apache-2.0
"""A trigger in a process that is forked, one function of which may hang.

What is forked has imported all before: that costs most of a start. The product has no
hook for this: the function is replaced in the new process.
"""

import functools
import importlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# All that the service's process imports by name, sooner or later.
import nova_ha_scheduler.service.leader.lock
from nova_ha_scheduler.service import main

OURS = nova_ha_scheduler.__name__

LOST_SECONDS = 3600.0
"""For ever, as far as a test goes."""


def forks() -> Any:
    """The context in which processes are made."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([__name__])
    return found


def run(
    arguments: Sequence[str],
    out: Path,
    env: Mapping[str, str],
    hangs: str = "",
    armed: Path | None = None,
) -> None:
    """Be nova-ha-evacuator.

    :param out: where standard output and error go; a FIFO that nobody reads, say.
    :param hangs: ``module:function`` that never returns, once this file is there;
        another beside it, ``.hit``, says that it has come to that.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.environ.update(env)
    if hangs and armed:
        _replace(hangs, lambda function: _hanging(function, armed))
    sys.exit(main.main(arguments))


def _hanging(function: Callable[..., Any], armed: Path) -> Callable[..., Any]:
    @functools.wraps(function)
    def replacement(*args: Any, **more: Any) -> Any:
        if armed.exists():
            armed.with_suffix(".hit").touch()
            time.sleep(LOST_SECONDS)
        return function(*args, **more)

    return replacement


def _replace(place: str, by: Callable[[Any], Any]) -> None:
    """Where it is, and where another module has it by its name."""
    module, _, path = place.partition(":")
    *outer, name = path.split(".")
    owner: Any = importlib.import_module(f"{OURS}.{module}")
    for each in outer:
        owner = getattr(owner, each)
    old = getattr(owner, name)
    is_static = isinstance(vars(owner).get(name), staticmethod)
    new = by(old)
    setattr(owner, name, staticmethod(new) if is_static else new)
    for known, other in list(sys.modules.items()):
        if known.startswith(OURS):
            for key, value in list(vars(other).items()):
                if value is old:
                    setattr(other, key, new)
