# SPDX-License-Identifier: Apache-2.0
"""What a message says, and what a template makes of it."""

import json
import re
from pathlib import Path

import pytest

from nova_ha_scheduler.receivers import message, template
from nova_ha_scheduler.records.events import TROUBLES, Event, EventKind
from nova_ha_scheduler.service.notifications.courier import Ration

AT = 1_700_000_000.0
PAGE = Path("docs/messages.md").read_text()
SAMPLE = Path("etc/nova-ha-scheduler/webhook.json.sample")


def _failed(number: int, name: str = "") -> tuple[int, Event]:
    name = name or f"vm{number}"
    return number, Event(
        EventKind.SERVER_FAILED, AT + number, "c1", server_name=name, reason="no room"
    )


def test_of_one_event() -> None:
    found = message.of_event(*_failed(7), "north")
    assert found.subject == "[nova-ha north] server.failed vm7: no room"
    assert (found.id, found.last, found.severity) == ("7", 7, "warning")
    assert "at: 2023-11-14T22:13:27Z" in found.text
    assert message.of_event(*_failed(7), "").subject.startswith("[nova-ha] server")


def test_a_summary_names_what_it_sums_up() -> None:
    fenced = Event(EventKind.HOST_FENCED, AT, "c1")
    tripped = Event(EventKind.GUARD_TRIPPED, AT + 9, reason="three hosts at once")
    events = [(3, fenced), *(_failed(n) for n in range(4, 300)), (300, tripped)]
    found = message.of_events(events, "")
    assert (found.id, found.last, found.kind) == ("3-300", 300, "summary")
    assert found.values["ids"] == [*range(3, 301)]
    assert found.values["summary"]["server.failed"] == [f"vm{n}" for n in range(4, 300)]
    assert "298 events, 3 to 300, from 2023-11-14T22:13:20Z" in found.text
    assert "server.failed (296): vm4, vm5" in found.text
    assert "and 96 more" in found.text
    assert "guard.tripped (1): three hosts at once" in found.text
    # What an operator should hear of stands first.
    assert found.text.index("guard.tripped") < found.text.index("host.fenced (1): c1")
    assert len(found.subject) < 250


def test_the_sample_is_a_template() -> None:
    found = template.fill(SAMPLE.read_text(), message.of_event(*_failed(7), "").values)
    assert found["ids"] == [7]
    assert found["text"].startswith("[nova-ha] server.failed vm7: no room\nevent: 7")


def test_the_page_has_each_name_and_each_trouble() -> None:
    values = message.of_event(*_failed(7), "").values
    part = PAGE.partition("## The JSON of a webhook")[2].partition("## Secrets")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"\w+", row)} == {*values}
    (row,) = re.findall(r"^\| `troubles` \| (.+) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"[\w.]+", row) == [kind.value for kind in TROUBLES]


@pytest.mark.parametrize("name", ['"', '"}], "x": ["', "\\", "$host", "${", "\n"])
def test_names_break_no_json(name: str) -> None:
    values = message.of_event(*_failed(7, name), "").values
    found = template.fill('{"a": "<$server_name>", "b": ["$$5", 5, null]}', values)
    assert found == {"a": f"<{name}>", "b": ["$5", 5, None]}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": "$nothing"}', "there is no $nothing; there are $id, "),
        ('{"a": "5 $"}', "a $ stands for nothing in '5 $'; $$ is one"),
        ("text: $text", "it is no JSON: "),
        ("[" * 100_000, "it is no JSON: "),
    ],
)
def test_what_is_no_template(text: str, why: str) -> None:
    values = message.of_nothing(AT, "").values
    with pytest.raises(ValueError) as caught:
        template.fill(text, values)
    assert why in str(caught.value)


def test_a_ration() -> None:
    """Single ones as long as there are few, then a summary in ten seconds."""
    ration, sent = Ration(3), []
    for now in range(60):
        # One event a second; each message takes what has come until then.
        waiting = [_failed(n) for n in range(sum(len(s) for s in sent), now + 1)]
        found = ration.next(waiting, "", float(now))
        if found is not None:
            ration.took(found, float(now))
            sent.append(found.values["ids"])
    assert [number for ids in sent for number in ids] == [*range(len(sum(sent, [])))]
    assert [len(ids) for ids in sent[:6]] == [1, 1, 1, 1, 10, 10]


def test_a_backlog_is_one_message() -> None:
    waiting = [_failed(n) for n in range(1, 900)]
    found = Ration(20).next(waiting, "", 0.0)
    assert found
    assert found.values["count"] == 899
