# SPDX-License-Identifier: Apache-2.0
"""What is wrong in nova-ha.conf is one sentence and exit code 2, whoever reads it."""

import os
import stat
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from nova_ha_scheduler.journal import JournalError, WrongDatabase
from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.service import conf_file, parts, startup
from tests.unit import commandline

GOOD = """
[DEFAULT]
debug = false
[cloud]
auth_type = password
auth_url = http://127.0.0.1:1/v3
username = nova-ha
password = hunter2
project_name = service
[database]
connection = sqlite:///{folder}/journal.sqlite
[fencing]
config_file = {folder}/fencing.yaml
[guard]
max_hosts = 3
[oslo_messaging_rabbit]
heartbeat_rate = 3
[oslo_messaging_notifications]
driver = log
driver = noop
"""

Edit = Callable[..., Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """nova-ha.conf, after a change."""

    def make(old: str = "", new: str = "") -> Path:
        fencing = tmp_path / "fencing.yaml"
        fencing.touch(0o600)
        fencing.write_text("hosts: {c1: {method: manual}}")
        text = GOOD.format(folder=tmp_path)
        assert old in text
        path = tmp_path / "nova-ha.conf"
        path.write_text(text.replace(old, new, 1))
        return path

    return make


def _start(path: Path) -> None:
    conf = startup.read("test", [f"--config-file={path}"])
    conf_file.require_meant(conf, whole=True)
    parts.Parts(conf).database.upgrade()


def refusal(path: Path) -> str:
    """As the service is refused it."""
    with pytest.raises(cfg.Error) as error:
        _start(path)
    assert "hunter2" not in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_right_passes(edited: Edit) -> None:
    _start(edited())


def test_a_run_for_one_host_asks_about_nobody_else(edited: Edit) -> None:
    """Who is late meanwhile is the service's business."""
    conf = startup.read("test", [f"--config-file={edited()}"])
    assert parts.Parts(conf).options.off_time > 0
    options = parts.Parts(conf, only=["c1"]).options
    assert (options.off_time, options.suspect_by_witnesses) == (0, False)


EVERYWHERE = [
    ("[guard]", "[gaurd]", "there is no section [gaurd] (did you mean guard?)"),
    (
        "[oslo_messaging_rabbit]",
        "[oslo_messaging_rabit]",
        "no section [oslo_mess",
    ),
    ("[guard]", "[other]\nx = 1\n[guard]", "there is no section [other]"),
    ("max_hosts = 3", "max_host = 3", "no option max_host (did you mean max_hosts?)"),
    ("debug = false", "debgu = true", "[DEFAULT] has no option debgu (did you mean de"),
    (
        "max_hosts = 3",
        "max_hosts = 3\nmax_hosts = 9",
        "[guard] max_hosts stands there",
    ),
    (
        "max_hosts = 3",
        "max_hosts = 3\n[guard]\nmax-hosts = 9",
        "max_hosts stands there",
    ),
    ("max_hosts = 3", "max_hosts = many", "nova-ha.conf: [guard] max_hosts: invalid"),
    ("max_hosts = 3", "max_hosts = -1", "[guard] max_hosts: Should be greater than"),
    ("debug = false", "debug = perhaps", "debug: Invalid Boolean value"),
    ("max_hosts = 3", "max_hosts = $none", "[guard] max_hosts: no such option none"),
    ("password = hunter2", "password hunter2", "nova-ha.conf:8, No ':' or '=' found"),
    ("sqlite:///", "hunter2", "[database] connection is no URL of a database; it is"),
    ("sqlite:///", "mysql+pymysql://u:hunter2@h:p", "connection is no URL of a data"),
    ("sqlite:///", "oracle://u:hunter2@h", "the journal cannot live in oracle; use"),
    (
        "sqlite:///",
        "mysql://u:hunter2@h",
        "pip install 'nova-ha-scheduler[mysql]'",
    ),
    ("sqlite:///", "postgresql+psycopg://u:hunter2@h", "nova-ha-scheduler[postgresql]"),
    ("/journal.sqlite", "/gone/journal.sqlite", "there is no directory "),
]

OF_THE_SERVICE = [
    (
        "password = hunter2\n",
        "",
        "[cloud] password is missing: auth_type pass",
    ),
    ("username = nova-ha\n", "", "[cloud] username is missing"),
    ("auth_type = password\n", "auth_type = pasword\n", "[cloud]: "),
    (
        "username =",
        "usrname =",
        "no option usrname (did you mean username?)",
    ),
    ("heartbeat_rate", "heartbeat_rat", "no option heartbeat_rat (did you mean hear"),
]


@pytest.mark.parametrize(("old", "new", "words"), EVERYWHERE + OF_THE_SERVICE)
def test_the_service_says_it(edited: Edit, old: str, new: str, words: str) -> None:
    assert words in refusal(edited(old, new))


@pytest.mark.parametrize(("old", "new", "words"), EVERYWHERE)
def test_every_command_says_it(edited: Edit, old: str, new: str, words: str) -> None:
    """Also one that reads the journal alone."""
    answer = commandline.run(f"--config-file={edited(old, new)}", "history", "list")
    assert answer.code == 2, answer.all
    assert words in " ".join(answer.err.split())
    assert "hunter2" not in answer.all
    assert "Traceback" not in answer.all


def test_an_empty_cloud(edited: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "/nowhere")
    path = edited()
    login = path.read_text().partition("[cloud]")[2].partition("[database]")[0]
    path.write_text(path.read_text().replace(login, "\n"))
    assert f"[cloud] of {path} says nothing of how to log in" in refusal(path)


def test_an_option_again_in_another_file(edited: Edit, tmp_path: Path) -> None:
    """The later one counts: that is what several files are for."""
    first, second = edited(), tmp_path / "more.conf"
    second.write_text("[guard]\nmax_hosts = 9\n")
    conf = startup.load("test", [f"--config-file={path}" for path in (first, second)])
    assert conf.guard.max_hosts == 9


def test_a_section_for_the_login(edited: Edit) -> None:
    """keystoneauth's auth_section names one of its own."""
    login = "auth_section = elsewhere\n[elsewhere]\nauth_type = password\n"
    conf = startup.load(
        "test", [f"--config-file={edited('auth_type = password', login)}"]
    )
    assert "elsewhere" not in conf


def test_the_sections_of_libraries() -> None:
    """As they say themselves; messages over AMQP 1.0 need a driver of its own."""
    found = set()
    for entry in metadata.entry_points(group="oslo.config.opts"):
        if entry.name in conf_file.LIBRARIES:
            found |= {str(group or "DEFAULT") for group, _ in entry.load()()}
    assert found - {"DEFAULT"} == conf_file.SECTIONS


def database(path: Path) -> Database:
    return Database(startup.load("test", [f"--config-file={path}"]))


def test_a_read_makes_no_journal(edited: Edit, tmp_path: Path) -> None:
    with pytest.raises(WrongDatabase, match="there is no journal at .*start nova"):
        database(edited()).check()
    assert not list(tmp_path.glob("journal*"))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_journal_is_nobody_elses(edited: Edit, tmp_path: Path, umask: int) -> None:
    made = database(edited())
    before = os.umask(umask)
    try:
        made.upgrade()
        made.check()
    finally:
        os.umask(before)
    files = {path.name: mode(path) for path in tmp_path.glob("journal*")}
    made.dispose()
    assert files == dict.fromkeys(
        ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"), 0o640
    )


def test_an_older_journal_is_closed(edited: Edit, tmp_path: Path) -> None:
    path = edited()
    (tmp_path / "journal.sqlite").touch()
    (tmp_path / "journal.sqlite").chmod(0o666)
    made = database(path)
    made.upgrade()
    made.dispose()
    assert mode(tmp_path / "journal.sqlite") == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_is_the_services(edited: Edit, tmp_path: Path) -> None:
    path = edited()
    os.chown(tmp_path, 65534, 65534)
    made = database(path)
    made.upgrade()
    made.dispose()
    found = (tmp_path / "journal.sqlite").stat()
    assert (found.st_uid, found.st_gid) == (65534, 65534)


def test_a_file_that_cannot_be_made(edited: Edit, monkeypatch: Any) -> None:
    made = database(edited())
    monkeypatch.setattr(os, "open", _no_room)
    with pytest.raises(JournalError, match="cannot be made, .*No space left on device"):
        made.upgrade()


def _no_room(*args: Any) -> int:
    raise OSError(28, "No space left on device")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
