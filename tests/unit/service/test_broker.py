# SPDX-License-Identifier: Apache-2.0
"""A broker is known wherever oslo.config lets an operator name it."""

from pathlib import Path

import pytest

from nova_ha_scheduler.service import startup
from nova_ha_scheduler.service.notifications import broker

URL = "transport_url = rabbit://192.0.2.1/\n"


@pytest.mark.parametrize(
    ("said", "named", "sends"),
    [
        ("", False, False),
        (f"[{broker.GROUP}]\n", False, False),
        (f"[{broker.GROUP}]\n{URL}", True, False),
        (f"[{broker.GROUP}]\n{URL}driver = messagingv2\n", True, True),
    ],
)
def test_in_the_file(tmp_path: Path, said: str, named: bool, sends: bool) -> None:
    file = tmp_path / "nova-ha.conf"
    file.write_text(said)
    conf = startup.load("test", [f"--config-file={file}"], for_logging=False)
    assert (broker.configured(conf), broker.sends(conf)) == (named, sends)


def test_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL", "rabbit://x/")
    file = tmp_path / "nova-ha.conf"
    file.touch()
    conf = startup.load("test", [f"--config-file={file}"], for_logging=False)
    assert broker.configured(conf)
