# SPDX-License-Identifier: Apache-2.0
"""Plays the lives, and keeps each of their steps."""

import itertools
import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from nova_ha_scheduler.evacuation.decisions import Decision
from tests.lib.decisions import lives
from tests.lib.decisions.files import Writer, file_of

INDEX = "index.json"
"""Which files there are, with how many decisions, and of which commit."""


def keep(
    directory: Path, played: Iterable[lives.Life], say: Callable[[str], None]
) -> None:
    """Write a file for each group of lives, and the index when all is done.

    :raises FileExistsError: something was kept there before.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")
    commit = _commit()
    index: dict[str, dict[str, object]] = {}
    for group, some in itertools.groupby(played, key=lambda life: life.group):
        writer = Writer()
        for life in some:
            _play(life, writer)
        name = file_of(group)
        if name in index:
            raise FileExistsError(f"{group}: there is {name} already")
        writer.write(directory / name)
        index[name] = {"group": group, "steps": writer.steps, "kept": writer.kept}
        say(f"{group}: {writer.steps} steps, {writer.kept} different ones")
    text = json.dumps({"commit": commit, "files": index}, indent=1)
    (directory / INDEX).write_text(f"{text}\n")
    steps, kept = (
        sum(int(str(file[what])) for file in index.values())
        for what in ("steps", "kept")
    )
    say(f"kept {kept} different decisions of {steps} steps, {len(index)} files")


def _play(life: lives.Life, writer: Writer) -> None:
    numbers = itertools.count(1)

    def add(decision: Decision) -> None:
        step = f"step {next(numbers)} at {decision.now:g} s"
        writer.add(f"{life.name}, {step}" if life.name else step, decision)

    with lives.kept_by(add, life.whole):
        try:
            life.play()
        except Exception as error:
            error.add_note(f"in {life.group}, {life.name}")
            raise


def _commit() -> str:
    """Of the program; with ``-dirty``, if it was changed since."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
