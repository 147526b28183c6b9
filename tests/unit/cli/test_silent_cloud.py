# SPDX-License-Identifier: Apache-2.0
"""No cloud answers: every command that asks says so in one sentence, which names the
setting and no library's object, and ends with the exit code of its row."""

import json
import re

import pytest

from nova_ha_scheduler import exits
from tests.unit.cli.conftest import Site

RAW = re.compile(r"HTTPS?Pool|HTTPS?Connection|Max retries|Caused by|object at 0x")
SAID = re.compile(
    r"keystone does not answer at http://127\.0\.0\.1:\d+/v3 \(auth_url in clouds\.yaml"
    r", cloud silent\): Connection refused; "
)
WORD = ("--confirm-fenced", "--by", "Ann", "--reason", "both cords")


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "c1"),
        ("capacity",),
        ("explain", "db-1"),
        ("snapshot", "picture.json"),
        ("host", "list"),
        ("simulate", "--kill", "c1"),
        ("tag", "c1", "--ha"),
        ("untag", "c1", "--ha"),
        ("evacuate", "c1", "--dry-run"),
        ("confirm-fenced", "c1", "c2", *WORD[1:]),
        ("confirm-fenced", "--zone", "nfs-a", "--yes", *WORD[1:]),
        ("history", "list", "--host", "c1"),
        ("maintenance", "list", "--host", "c1"),
        ("pause", "c1", "--by", "Ann", "--reason", "test"),
    ],
)
def test_one_sentence(
    site: Site, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.conf.parent)
    fencing = site.conf.with_name("fencing.yaml")
    fencing.touch(0o600)
    fencing.write_text("hosts: {c1: {method: manual}}")
    with site.conf.open("a") as conf:
        conf.write(f"[fencing]\nconfig_file = {fencing}\n")
    answer = site.run(*command)
    assert SAID.search(answer.err), answer.err
    assert not RAW.search(answer.err), answer.err
    (line,) = (line for line in answer.err.splitlines() if SAID.search(line))
    named = (" ".join(command[:words]) for words in (2, 1))
    assert answer.code in next(exits.COMMANDS[n] for n in named if n in exits.COMMANDS)
    asks_only = command[0] in ("pause", "history", "maintenance", "confirm-fenced")
    assert asks_only or answer.code == exits.ERROR


def test_check_finds_it(site: Site) -> None:
    answer = site.run("check", "-f", "json")
    assert answer.code == 2
    found = {row["check"]: row for row in json.loads(answer.out)}
    assert SAID.match(found["cloud"]["what"])
    assert not RAW.search(answer.out + answer.err)


def test_status_shows_it_and_health_asks_nobody(site: Site) -> None:
    status = site.run("status", "-f", "json")
    assert status.code == 0
    assert SAID.search(status.out)
    health = site.run("health")
    assert "keystone" not in health.out + health.err
    for answer in (status, health):
        assert not RAW.search(answer.out + answer.err)
