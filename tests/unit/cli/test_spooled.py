# SPDX-License-Identifier: Apache-2.0
"""``nova-ha confirm-fenced`` by who may not read nova-ha.conf."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from nova_ha_scheduler.cli import answers, recoveries
from nova_ha_scheduler.cli.app import NovaHA
from nova_ha_scheduler.spool.taker import Taker
from tests.unit import commandline
from tests.unit.cli.conftest import Site

ORDER = ("confirm-fenced", "node1", "--by", "Ann", "--reason", "pulled both cords")


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory, of a user who may read nothing else."""

    def denied(_: NovaHA) -> cfg.ConfigOpts:
        raise cfg.ConfigFilesPermissionDeniedError(["nova-ha.conf"])

    monkeypatch.setattr(NovaHA, "conf", property(denied))
    directory = tmp_path / "words"
    directory.mkdir(0o730)
    monkeypatch.setattr(recoveries, "DIRECTORY", str(directory))
    return directory


def test_the_answer_comes_back(
    site: Site, trigger: Callable[[dict[str, Any], float], None], words: Path
) -> None:
    hosts = {"node1": {"device": "unreachable"}, "node2..node4": {}}
    trigger({"hosts": hosts}, 90)
    taker, ended = Taker(str(words), site.journal), threading.Event()

    def take() -> None:
        while not ended.wait(0.1):
            taker.take()

    thread = threading.Thread(target=take)
    thread.start()
    try:
        said = commandline.run(*ORDER)
    finally:
        ended.set()
        thread.join()
    assert said.code == 0, said
    assert "may not read nova-ha.conf: the word is given to the trigger" in said.err
    assert "the host is dead" in said.out


def test_nobody_takes_it(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "WAIT_SECONDS", 0.5)
    said = commandline.run(*ORDER, "-f", "json")
    assert said.code == 5
    assert "queued: no trigger on this machine has taken it yet" in said.out
    assert len(list(words.iterdir())) == 1


def test_without_a_directory_it_is_said_what_may_not_be_read(words: Path) -> None:
    words.rmdir()
    said = commandline.run(*ORDER)
    assert said.code not in (0, 4, 5)
    assert "nova-ha.conf" in said.err
