# SPDX-License-Identifier: Apache-2.0
"""``nova-ha receiver``, and what check and purge know of receivers."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_ha_scheduler.doctor.gather import Gatherer
from nova_ha_scheduler.journal.outbox import Outbox, of_receiver
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.service import startup
from tests.lib import ports
from tests.lib.people import Hook
from tests.unit.cli.conftest import Site


@pytest.fixture
def hook(site: Site) -> Iterator[Hook]:
    found = Hook()
    dead = f"http://127.0.0.1:{ports.free_port()}/"
    with site.conf.open("a") as file:
        file.write(
            "[messages]\nreceivers = hook, dead\n"
            f"[receiver_hook]\ntype = webhook\nurl = {found.url}\nkinds = host.seen\n"
            f"[receiver_dead]\ntype = webhook\nurl = {dead}\n"
        )
    yield found
    found.stop()


def _happen(site: Site, *kinds: EventKind, at: float = 0.0) -> None:
    events = [Event(kind, at or time.time(), "c1") for kind in kinds]
    site.journal.put_pauses([], events)


def test_a_try(site: Site, hook: Hook) -> None:
    answer = site.run("receiver", "test", "hook", "-f", "json")
    assert answer.json[0]["result"] == "sent"
    assert [body["kind"] for body in hook.bodies] == ["test"]
    answer = site.run("receiver", "test", "-f", "json")
    assert answer.code == 3
    words = {row["receiver"]: row["why"] for row in json.loads(answer.out)}
    assert words["dead"] == "it cannot be reached: Connection refused"
    assert site.run("receiver", "test", "dead").code == 1
    answer = site.run("receiver", "test", "hok")
    assert answer.code == 2
    assert "[messages] receivers has no hok (did you mean hook?)" in answer.err


def test_none(site: Site) -> None:
    answer = site.run("receiver", "test")
    assert answer.code == 0
    assert "[messages] receivers names none." in answer.words


def test_what_waits(site: Site, hook: Hook) -> None:
    box = Outbox(site.database, of_receiver("hook"))
    box.begin()
    _happen(site, EventKind.HOST_SEEN, EventKind.HOST_FENCED, EventKind.HOST_SEEN)
    rows = {row["receiver"]: row for row in site.json("receiver", "list")}
    assert (rows["hook"]["waiting"], rows["hook"]["last"]) == (2, 0)
    assert (rows["dead"]["waiting"], rows["dead"]["last"]) == (0, None)
    box.sent(2)
    rows = {row["receiver"]: row for row in site.json("receiver", "list")}
    assert rows["hook"]["waiting"] == 1


def test_what_waits_is_not_purged(site: Site, hook: Hook) -> None:
    long_ago = time.time() - 90 * 86400
    Outbox(site.database, of_receiver("hook")).begin()
    _happen(site, EventKind.HOST_SEEN, EventKind.HOST_SEEN, at=long_ago)
    site.json("history", "purge", "--older-than", "30d")
    assert len(site.events()) == 2
    Outbox(site.database, of_receiver("hook")).sent(1)
    site.json("history", "purge", "--older-than", "30d")
    assert len(site.events()) == 1


def test_check(site: Site, hook: Hook, tmp_path: Path) -> None:
    secret = tmp_path / "headers"
    secret.write_text("A: b\n")
    secret.chmod(0o644)
    text = site.conf.read_text()
    named = f"kinds = host.seen\nheaders_file = {secret}\n"
    site.conf.write_text(text.replace("kinds = host.seen\n", named))

    def found() -> dict[str, list[str]]:
        conf = startup.load("test", [f"--config-file={site.conf}"], for_logging=False)
        gatherer = Gatherer(conf)
        gatherer.try_parts()
        seen: dict[str, list[str]] = {}
        for name, finding in gatherer.found:
            seen.setdefault(name, []).append(finding.what)
        return seen

    seen = found()
    assert len(seen["receivers-away"]) == 1
    assert "receiver dead" in seen["receivers-away"][0]
    assert seen["secrets-open"] == [f"{secret}: its mode is 0644"]
    secret.unlink()
    why = f"headers_file: {secret} cannot be read: No such file or directory"
    assert any(why in words for words in found()["receivers-away"])
    site.conf.write_text(text.replace("kinds = host.seen", "kinds = host.sene"))
    (words,) = found()["receivers"]
    assert words == "[receiver_hook] kinds: there is no kind of event host.sene " + (
        "(did you mean host.seen?)"
    )
    assert hook.took == []
