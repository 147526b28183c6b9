# SPDX-License-Identifier: Apache-2.0
"""Whoever may read nova-ha.conf has the cloud's password."""

import os
from pathlib import Path

import pytest

from nova_ha_scheduler.doctor import file_modes
from nova_ha_scheduler.service.startup import load

SERVICE, OTHERS = 990, 991


@pytest.mark.parametrize(
    ("mode", "group", "words"),
    [
        (0o600, OTHERS, None),
        (0o640, SERVICE, None),
        (0o400, OTHERS, None),
        (0o644, SERVICE, "its mode is 0644"),
        (0o664, SERVICE, "its mode is 0664"),
        (0o660, SERVICE, "its mode is 0660"),
        (0o604, SERVICE, "its mode is 0604"),
        (0o750, SERVICE, "its mode is 0750"),
        (0o640, OTHERS, f"its group {OTHERS} may read it"),
    ],
)
def test_who_may_read_it(mode: int, group: int, words: str | None) -> None:
    found = list(file_modes.judged("/etc/x.conf", mode, group, {0, SERVICE}))
    assert [f.what for f in found] == ([f"/etc/x.conf: {words}"] if words else [])
    assert all("chmod 0640 /etc/x.conf" in finding.mend for finding in found)


def test_each_file_that_was_read(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("first.conf", "second.conf")]
    for path in paths:
        path.write_text("[cloud]\nname = x\n")
        path.chmod(0o640)
        os.chown(path, -1, os.getegid())
    conf = load("test", [f"--config-file={path}" for path in paths])
    assert list(file_modes.configuration_open(conf)) == []
    paths[1].chmod(0o644)
    (finding,) = file_modes.configuration_open(conf)
    assert finding.what == f"{paths[1]}: its mode is 0644"
