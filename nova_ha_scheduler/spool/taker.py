# SPDX-License-Identifier: Apache-2.0
"""Takes words from the directory into the journal, and puts the answers back.

==========================  ======================================================
who gives it                the owner of the file, whatever it says
when that was               when the word says, never later than now
no regular file, a link,    thrown away, and told once: what stands in it is
too large, no word          nobody's word
many of them                some a second, and so many in all; others wait
a directory that anybody    nothing is taken from it, and that is told
may write in
==========================  ======================================================

A word is in the journal before its file goes, and once, whichever machines it was
given on: its id is the file's name.
The trigger judges the host's name, as of any order.
"""

import contextlib
import json
import os
import stat
import threading
import time
from dataclasses import dataclass

from oslo_log import log as logging

from nova_ha_scheduler import files
from nova_ha_scheduler.journal import JournalError
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.printable import flat
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.spool import word
from nova_ha_scheduler.spool.word import BadWord, Word

LOG = logging.getLogger(__name__)

_INTERVAL = 1.0
"""Seconds between two looks."""

_AT_ONCE = 20
"""Files that one look takes."""

_SEEN = 1000
"""Names that one look goes through."""

_UNANSWERED = 500
"""Words that wait for an answer, at most; those in the directory wait until then."""

_KEPT = 600.0
"""Seconds for which an answer stays, and an unfinished file."""


@dataclass(frozen=True)
class _File:
    """:ivar owner: a user's name."""

    text: bytes
    owner: str


class Taker:
    """Of one trigger, active or standing by."""

    def __init__(self, directory: str, journal: SqlJournal) -> None:
        self._directory, self._journal = directory, journal
        self._waiting: dict[str, str] = {}
        """The words in the journal without an answer: command id by file id."""
        self._told: set[str] = set()
        self._ended = threading.Event()

    def start(self) -> None:
        if self._directory:
            threading.Thread(target=self._run, name="words", daemon=True).start()

    def stop(self) -> None:
        """Return at once."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(_INTERVAL):
            try:
                self.take()
            except JournalError as error:
                self._tell(f"words wait: {error}")
            except Exception as error:  # a bug, or a disk; the trigger goes on
                self._tell(f"words cannot be taken: {flat(error)}")

    def take(self) -> None:
        """One look: words in, answers out.

        :raises JournalError: they stay where they are.
        """
        try:
            directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return
        except OSError as error:
            self._tell(f"{self._directory} cannot be read: {error.strerror}")
            return
        try:
            if os.fstat(directory).st_mode & stat.S_IWOTH:
                self._tell(
                    f"{self._directory}: anybody may write there; run chmod "
                    f"o-w {self._directory}"
                )
                return
            for name in self._names(directory):
                self._take(directory, name)
            self._answer(directory)
        finally:
            os.close(directory)

    def _names(self, directory: int) -> list[str]:
        """The words to take now, by name; what is old is removed."""
        found, now = [], time.time()
        with os.scandir(directory) as entries:
            for number, entry in enumerate(entries):
                if number == _SEEN:
                    break
                if entry.name.endswith(word.WORD):
                    found.append(entry.name)
                elif _is_old(entry, now):
                    self._remove(directory, entry.name)
        room = min(_AT_ONCE, _UNANSWERED - len(self._waiting))
        return sorted(found)[: max(0, room)]

    def _take(self, directory: int, name: str) -> None:
        id = name.removesuffix(word.WORD)
        try:
            if not word.ID.fullmatch(id):
                raise BadWord("its name is none of a word's")
            file = _read(directory, name)
            said = word.read(file.text)
        except (BadWord, OSError) as error:
            why = getattr(error, "strerror", None) or error
            self._tell(f"{flat(name, 80)} is no word and is thrown away: {why}")
            self._remove(directory, name)
            return
        command = _command(id, said, file.owner)
        self._journal.add_command_once(command)
        self._waiting[id] = command.id
        os.unlink(name, dir_fd=directory)

    def _answer(self, directory: int) -> None:
        """Put back what has become of the words in the journal."""
        found = {c.id: c for c in self._journal.commands(list(self._waiting.values()))}
        for id, key in list(self._waiting.items()):
            command = found.get(key)
            if command is None or not (command.answer or command.waits):
                continue
            del self._waiting[id]
            words = command.answer or f"noted: {command.waits}"
            text = json.dumps({"answer": words, "refused": command.refusal is not None})
            with contextlib.suppress(OSError):  # somebody is in its way
                _write(directory, id + word.ANSWER, text)

    def _remove(self, directory: int, name: str) -> None:
        try:
            os.unlink(name, dir_fd=directory)
        except OSError as error:
            self._tell(f"{flat(name, 80)} cannot be removed: {error.strerror}")

    def _tell(self, sentence: str) -> None:
        """In the log, once; of many, the first ones."""
        if sentence not in self._told and len(self._told) < _SEEN:
            self._told.add(sentence)
            LOG.warning("%s", sentence)


def _is_old(entry: "os.DirEntry[str]", now: float) -> bool:
    with contextlib.suppress(OSError):
        return now - entry.stat(follow_symlinks=False).st_mtime > _KEPT
    return False


def _read(directory: int, name: str) -> _File:
    """:raises BadWord, OSError: it is no file that one person has put there."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    file = os.open(name, flags, dir_fd=directory)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise BadWord("it is no regular file")
        if found.st_nlink != 1:
            raise BadWord("it has another name elsewhere, and may be somebody else's")
        text = os.read(file, word.SIZE + 1)
    finally:
        os.close(file)
    if len(text) > word.SIZE:
        raise BadWord(f"it is larger than {word.SIZE} bytes")
    return _File(text, files.owner(found.st_uid))


def _command(id: str, said: Word, owner: str) -> Command:
    at = min(said.at, time.time())
    by = files.signed(said.by, owner)
    kind = CommandKind.CONFIRM_FENCED
    key = f"word-{id}"
    return Command(key, kind, said.host, by, said.reason, at, at + said.lasts)


def _write(directory: int, name: str, text: str) -> None:
    temporary = f".{name}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=directory)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    file = os.open(temporary, flags, 0o644, dir_fd=directory)
    with open(file, "w", encoding="ascii") as writer:
        os.fchmod(file, 0o644)
        writer.write(text)
    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
