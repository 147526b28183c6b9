# SPDX-License-Identifier: Apache-2.0
"""Who gives an order: who is logged in, unless it is a word that a host is off."""

import getpass
import os
from typing import NoReturn

import pytest

from nova_ha_scheduler.cli.who import signed
from tests.unit.cli.conftest import Site

WHY = ("--reason", "its cables")
ORDERS = [
    ("abort", "node1", *WHY),
    ("retry", "node1", *WHY),
    ("guard", "reset", *WHY),
    ("pause", *WHY),
]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_who_has_called_sudo(
    site: Site, order: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "ann")
    assert site.json(*order)["by"] == signed("ann")
    assert site.json(*order, "--by", "Bob")["by"] == signed("Bob")


def test_the_user_stands_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says."""
    monkeypatch.setenv("LOGNAME", "carla")
    monkeypatch.setenv("SUDO_USER", "ann")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert signed("ann") == "ann (user root)"
    assert signed("root") == "root"


def test_who_is_logged_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("LOGNAME", "carla")
    site.run("pause", *WHY)
    site.run("resume", "--all")
    begun, ended = site.events()
    assert "carla" in str(begun)
    assert "carla" in str(ended)


@pytest.mark.parametrize("order", [*ORDERS, ("resume", "--all")], ids=" ".join)
def test_it_has_to_be_said_where_that_is_not_known(
    site: Site, order: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> NoReturn:
        raise KeyError("uid not found: 4711")

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(getpass, "getuser", nobody)
    answer = site.run(*order)
    assert (answer.code, answer.out) == (2, "")
    assert "required: --by" in answer.err


@pytest.mark.parametrize(
    "word",
    [
        ("confirm-fenced", "node1"),
        ("evacuate", "node1", "--confirm-fenced"),
        ("plan", "--apply", "node1.plan", "--confirm-fenced"),
    ],
    ids=" ".join,
)
def test_a_word_that_a_host_is_off_has_a_name_each_time(
    site: Site, word: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "ann")
    answer = site.run(*word, *WHY)
    assert (answer.code, answer.out) == (2, "")
    assert "--by" in answer.err
    assert site.events() == []
