# SPDX-License-Identifier: Apache-2.0
"""Messages to people, from a real trigger to a real HTTP and a real mail server."""

import itertools
import json
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.journal.store import SqlJournal
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.service import startup
from tests.integration.service.conftest import Site
from tests.lib import ports
from tests.lib.people import Dripping, Hook, Mails
from tests.lib.waiting import BUSY, wait

ACTIVE = "This trigger is the active one"

PROMISED = BUSY * 2.0
"""Seconds from the event in the history to its message, where all is well."""

SECRET = "hunter2-whom-nobody-may-see"


class People:
    """Receivers, and the history that they hear of."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.sections, self.names = "", []
        self.stops: list[Callable[[], None]] = []

    def hook(self, name: str = "hook", **options: Any) -> Hook:
        found = Hook()
        self.stops.append(found.stop)
        self.add(name, "webhook", **{"url": found.url, **options})
        return found

    def add(self, name: str, type: str, **options: Any) -> None:
        options = {"type": type, "kinds": "all", **options}
        if type == "smtp":
            ours = {"host": "127.0.0.1", "security": "none", "sender": "ha@example.org"}
            options = {**ours, "recipients": "night@example.org", **options}
        lines = (f"{key} = {value}\n" for key, value in options.items() if value)
        self.names.append(name)
        self.sections += f"[receiver_{name}]\n{''.join(lines)}"

    def mails(self, name: str = "mail", **options: Any) -> Mails:
        found = Mails()
        self.stops.append(found.stop)
        self.add(name, "smtp", port=found.port, **options)
        return found

    def write(self, **options: Any) -> None:
        """Into nova-ha.conf."""
        conf = self.site.conf
        names = ", ".join(self.names)
        conf.write_text(
            f"{conf.read_text()}[messages]\nreceivers = {names}\ncloud = north\n"
            f"{self.sections}"
        )
        self._database = Database(
            startup.load("test", [f"--config-file={conf}"], for_logging=False)
        )

    def tell(self, many: int, kind: EventKind = EventKind.HOST_SEEN) -> None:
        """Have something happen."""
        now = time.time()
        events = [Event(kind, now, f"c{n}", reason="so") for n in range(many)]
        SqlJournal(self._database).put_pauses([], events)

    def numbers(self) -> list[int]:
        """Of all events in the history, but for those before the first message."""
        found = History(self._database).events(HistoryQuery(limit=None))
        return sorted(number for number, _ in found)


@pytest.fixture
def people(site: Site, tmp_path: Path) -> Iterator[People]:
    found = People(site, tmp_path)
    try:
        yield found
    finally:
        for stop in found.stops:
            stop()


def heard(hook: Hook) -> list[int]:
    """The number of each event that it was told of, as often as it was."""
    return list(itertools.chain(*(body["ids"] for body in hook.bodies)))


def test_each_event_comes_soon(people: People) -> None:
    hook, mails = people.hook(), people.mails()
    people.write()
    service = people.site.start()
    service.says(ACTIVE)
    wait("its first event", lambda: hook.took and mails.took)
    for _ in range(5):
        before, hooked, mailed = time.time(), len(hook.took), len(mails.took)
        people.tell(1)
        wait("hook", lambda n=hooked: len(hook.took) > n)
        wait("mail", lambda n=mailed: len(mails.took) > n)
        assert max(hook.took[-1][0], mails.took[-1][0]) - before < PROMISED
    assert heard(hook) == people.numbers()
    said = hook.bodies[-1]
    assert (said["kind"], said["host"], said["cloud"]) == ("host.seen", "c0", "north")
    mail = mails.mails[-1]
    assert mail["Subject"] == said["subject"] == "[nova-ha north] host.seen c0: so"
    assert mail["X-Nova-HA-Id"] == said["id"] == str(people.numbers()[-1])
    assert mail.get_content().splitlines() == said["text"].splitlines()


def test_one_that_is_away_holds_up_nobody_else(people: People) -> None:
    """A dead one, a silent, a slow, a dripping and a refusing one, all at once."""
    dead = socket.create_server(("127.0.0.1", 0))
    dead_port = dead.getsockname()[1]
    dead.close()
    silent = socket.create_server(("127.0.0.1", 0))
    drips = Dripping()
    people.stops += [silent.close, drips.stop]
    hook = people.hook("good")
    slow, refuses = people.hook("slow"), people.hook("refuses", timeout=1)
    slow.seconds, refuses.status = 3.0, "503 Not today"
    people.add("dead", "webhook", url=f"http://127.0.0.1:{dead_port}/")
    people.add("deadmail", "smtp", port=dead_port)
    people.add("silent", "smtp", port=silent.getsockname()[1], timeout=1)
    people.add("drips", "smtp", port=drips.port, timeout=1)
    people.write()
    service = people.site.start()
    service.says(ACTIVE)
    wait("its first event", lambda: hook.took)
    for _ in range(5):
        before, took = time.time(), len(hook.took)
        people.tell(1)
        wait("good", lambda n=took: len(hook.took) > n)
        assert hook.took[-1][0] - before < PROMISED
    service.says("Messages to people do not get through")

    def told() -> str:
        return (people.folder / "health.json").read_text()

    wait("silent", lambda: "silent: it does not take it within 1 s" in told())
    for words in (
        "dead: it cannot be reached: Connection refused",
        "deadmail: it cannot be reached: Connection refused",
        "drips: it does not take it within 1 s",
        "refuses: it answers 503: Not today",
    ):
        wait(words, lambda w=words: w in told())
    refuses.status, slow.seconds = "200 OK", 0.0
    back = Mails(dead_port)
    people.stops.append(back.stop)
    last = people.numbers()[-1]
    for each in (refuses, slow):
        wait("it hears what it has missed", lambda e=each: last in heard(e))
        once = sorted(set(heard(each)))
        assert once == people.numbers()[: len(once)], "all of them"
    wait("mail", lambda: str(last) in {m["X-Nova-HA-Id"] for m in back.mails})
    assert "Traceback" not in service.log


def test_killed_in_the_middle(people: People) -> None:
    """Each event at least once, and in order, however often the trigger dies."""
    hook = people.hook()
    people.write()
    for life in range(3):
        service = people.site.start(f"life{life}")
        service.says(ACTIVE)
        people.tell(4)
        took = len(hook.took)
        wait("one of them", lambda n=took: len(hook.took) > n)
        hook.seconds = 0.5
        time.sleep(0.2 * life)
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()
        hook.seconds = 0.0
        people.tell(2)  # while nobody is there
    people.site.start("last").says(ACTIVE)
    last = people.numbers()[-1]
    wait("the last one", lambda: last in heard(hook))
    found = heard(hook)
    assert sorted(set(found)) == [n for n in people.numbers() if n <= max(found)]
    first = list(dict.fromkeys(found))
    assert first == sorted(first), "in order"


def test_a_storm_is_summed_up(people: People) -> None:
    hook, mails = people.hook(per_minute=5), people.mails(per_minute=5)
    people.write()
    service = people.site.start()
    service.says(ACTIVE)
    wait("its first event", lambda: hook.took)
    people.tell(500)
    last = people.numbers()[-1]
    wait("all of them", lambda: last in heard(hook) and len(mails.took) > 1)
    assert sorted(heard(hook)) == [n for n in people.numbers() if n <= heard(hook)[-1]]
    assert len(hook.took) < 10
    summary = next(body for body in hook.bodies if body["kind"] == "summary")
    assert set(summary["summary"]["host.seen"]) == {f"c{n}" for n in range(500)}
    mail = mails.mails[-1]
    assert "500 host.seen" in mail["Subject"] or "host.seen" in mail["Subject"]
    assert "c0, c1, c2" in mail.get_content()


def test_secrets_are_in_no_log(people: People) -> None:
    """Whatever is logged, and however a receiver fails."""
    url, headers = people.folder / "url", people.folder / "headers"
    hook = people.hook(url="", url_file=url, headers_file=headers)
    url.write_text(f"{hook.url}/services/{SECRET}?key={SECRET}\n")
    headers.write_text(f"Authorization: Bearer {SECRET}\nX-More: yes\n")
    password = people.folder / "password"
    password.write_text(SECRET)
    people.add(
        "mail",
        "smtp",
        port=ports.free_port(),
        username="nova-ha",
        password_file=password,
    )
    people.write()
    conf = people.site.conf
    debug = "[DEFAULT]\ndebug = true\ndefault_log_levels = urllib3=DEBUG\n"
    conf.write_text(debug + conf.read_text())
    service = people.site.start()
    service.says(ACTIVE)
    wait("the first", lambda: hook.took)
    assert hook.asked[-1]["HTTP_AUTHORIZATION"] == f"Bearer {SECRET}"
    assert hook.asked[-1]["PATH_INFO"] == f"/services/{SECRET}"
    hook.status = f"403 {SECRET}"
    people.tell(1)
    service.says("Messages to people do not get through")
    hook.stop()
    health = people.folder / "health.json"
    wait("refused", lambda: "Connection refused" in health.read_text())
    seen = service.log + health.read_text()
    connection = sqlite3.connect(people.folder / "journal.sqlite")
    seen += json.dumps(connection.execute("SELECT record FROM single").fetchall())
    assert SECRET not in seen
