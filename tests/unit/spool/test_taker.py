# SPDX-License-Identifier: Apache-2.0
"""Words from a directory into a real journal, and what is in the way of that."""

import json
import os
import pwd
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.service.startup import load
from nova_ha_scheduler.spool import taker, word
from nova_ha_scheduler.spool.taker import Taker
from nova_ha_scheduler.spool.word import Word

ME = pwd.getpwuid(os.getuid()).pw_name
NOW = time.time()
OFF = Word("compute-1", "Pacemaker", "it was powered off", NOW - 5)


class Place:
    """A directory with the trigger's part, and its journal."""

    def __init__(self, path: Path, journal: SqlJournal) -> None:
        self.path, self.journal = path, journal
        self.taker = Taker(str(path), journal)

    def give(self, said: Word = OFF) -> str:
        return word.give(said, str(self.path))

    def drop(self, text: bytes, name: str = "0123456789.word") -> Path:
        file = self.path / name
        file.write_bytes(text)
        return file

    def commands(self) -> list[Command]:
        return list(self.journal.load(0).commands.values())

    def names(self) -> list[str]:
        return sorted(path.name for path in self.path.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    conf = tmp_path / "nova-ha.conf"
    conf.write_text(f"[database]\nconnection = sqlite:///{tmp_path}/journal.sqlite\n")
    database = Database(load("test", [f"--config-file={conf}"]))
    database.upgrade()
    words = tmp_path / "words"
    words.mkdir(0o1730)
    yield Place(words, SqlJournal(database))
    database.dispose()


def test_a_word_becomes_an_order(place: Place) -> None:
    place.give()
    place.taker.take()
    (order,) = place.commands()
    assert (order.kind, order.host) == (CommandKind.CONFIRM_FENCED, "compute-1")
    assert (order.by, order.reason) == (f"Pacemaker (user {ME})", OFF.reason)
    assert (order.at, order.expires_at) == (OFF.at, OFF.at + word.LASTS)
    assert place.names() == []


def test_who_owns_the_file_gives_the_word(place: Place) -> None:
    place.give(replace(OFF, by=ME))
    place.taker.take()
    assert [order.by for order in place.commands()] == [ME]


def test_a_word_of_the_future_is_one_of_now(place: Place) -> None:
    place.give(replace(OFF, at=NOW + 10**6, lasts=10**6))
    place.taker.take()
    (order,) = place.commands()
    assert NOW <= order.at <= time.time()
    assert order.expires_at - order.at == pytest.approx(word.LONGEST)


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        ({"answer": "the host is dead"}, ("the host is dead", False)),
        ({"waits": "Nova holds it for up"}, ("noted: Nova holds it for up", False)),
        ({"answer": "no", "refusal": Reason.VOID}, ("no", True)),
    ],
)
def test_the_giver_has_an_answer(
    place: Place, answered: dict[str, Any], said: tuple[str, bool]
) -> None:
    id = place.give()
    assert not word.is_taken(id, str(place.path))
    place.taker.take()
    assert word.is_taken(id, str(place.path))
    assert word.answer(id, str(place.path)) is None
    assert place.journal.acquire()
    (order,) = place.commands()
    place.journal.commit(Change(commands=(replace(order, **answered),)))
    place.taker.take()
    assert word.answer(id, str(place.path)) == said
    file = place.path / f"{id}.answer"
    assert file.stat().st_mode & 0o777 == 0o644
    os.utime(file, (NOW - 3600, NOW - 3600))
    place.taker.take()
    assert place.names() == []


def test_a_word_is_taken_once(place: Place) -> None:
    """Also by a trigger that died after it had written the word down."""
    id = place.give()
    text = (place.path / f"{id}.word").read_bytes()
    place.taker.take()
    assert place.journal.acquire()
    (order,) = place.commands()
    place.journal.commit(Change(commands=(replace(order, answer="the host is dead"),)))
    place.drop(text, f"{id}.word")
    Taker(str(place.path), place.journal).take()
    assert place.commands() == []
    assert word.answer(id, str(place.path)) == ("the host is dead", False)


def test_a_word_that_two_machines_are_given_is_one(place: Place) -> None:
    """As every node of a cluster gives it; each has a trigger and a directory."""
    other = Place(place.path.with_name("other-machine"), place.journal)
    other.path.mkdir(0o1730)
    for machine in place, other:
        word.give(
            replace(OFF, at=NOW - 5 + (machine is other)),
            str(machine.path),
            "ref-12345678",
        )
        machine.taker.take()
    (order,) = place.commands()
    assert (order.id, order.at) == ("word-ref-12345678", OFF.at)
    answered = replace(order, answer="the host is dead")
    assert place.journal.acquire()
    place.journal.commit(Change(commands=(answered,)))
    for machine in place, other:
        machine.taker.take()
        said = word.answer("ref-12345678", str(machine.path))
        assert said == ("the host is dead", False)


def link(place: Place) -> None:
    secret = place.path.with_name("secret")
    secret.write_text(json.dumps(vars(OFF)))
    (place.path / "0123456789.word").symlink_to(secret)


def second_name(place: Place) -> None:
    other = place.path.with_name("other")
    other.write_text(json.dumps(vars(OFF)))
    os.link(other, place.path / "0123456789.word")


def said(**more: Any) -> Callable[[Place], None]:
    text = json.dumps({**vars(OFF), **more})
    return lambda place: void(place.drop(text.encode()))


def void(_: Any) -> None:
    """Nothing."""


HOSTILE: dict[str, Callable[[Place], None]] = {
    "a link": link,
    "a second name": second_name,
    "a pipe": lambda place: os.mkfifo(place.path / "0123456789.word"),
    "too large": said(reason="x" * 5000),
    "no JSON": lambda place: void(place.drop(b"\xff\x00{")),
    "a deep list": lambda place: void(place.drop(b"[" * 4000)),
    "a list": lambda place: void(place.drop(b"[]")),
    "nothing": lambda place: void(place.drop(b"")),
    "no host": said(host=""),
    "two lines of host": said(host="a\nb"),
    "a long host": said(host="h" * 300),
    "a number for a host": said(host=7),
    "no time": said(at=None),
    "true for a time": said(at=True),
    "infinity": lambda place: void(
        place.drop(json.dumps({**vars(OFF), "at": 1e999}).encode())
    ),
    "a huge time": lambda place: void(
        place.drop(json.dumps({**vars(OFF), "at": 10**400}).encode())
    ),
    "more than is known": said(force=True),
    "a hostile name": lambda place: void(
        place.drop(json.dumps(vars(OFF)).encode(), "\x1b[2J\n .word")
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_word_is_thrown_away_and_told_once(
    place: Place, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = place.give()
    for _ in range(2):
        HOSTILE[what](place)
        place.taker.take()
        for beside in (place.path.with_name("secret"), place.path.with_name("other")):
            beside.unlink(missing_ok=True)
        assert [order.id for order in place.commands()] == [f"word-{good}"]
        assert place.names() == []
    said = [record.getMessage() for record in caplog.records]
    (told,) = [words for words in said if "thrown away" in words]
    assert told.isprintable()


def test_a_directory_of_that_name_holds_up_nobody(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (place.path / "0123456789.word").mkdir()
    place.give()
    place.taker.take()
    place.taker.take()
    assert len(place.commands()) == 1
    assert sum("cannot be removed" in r.getMessage() for r in caplog.records) == 1


def test_many_are_taken_one_part_after_the_other(place: Place) -> None:
    for _ in range(taker._AT_ONCE + 3):
        place.give()
    place.taker.take()
    assert len(place.commands()) == taker._AT_ONCE
    place.taker.take()
    assert len(place.commands()) == taker._AT_ONCE + 3


def test_so_many_wait_and_no_more(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taker, "_UNANSWERED", 2)
    for _ in range(5):
        place.give()
    for _ in range(3):
        place.taker.take()
    assert len(place.commands()) == 2
    assert len(place.names()) == 3


def test_where_anybody_may_write_nothing_is_taken(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.path.chmod(0o1777)
    place.give()
    place.taker.take()
    assert place.commands() == []
    assert "anybody may write there" in caplog.text


def test_without_a_directory_nobody_gives_words(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    Taker(str(place.path / "nowhere"), place.journal).take()
    assert caplog.text == ""
