# SPDX-License-Identifier: Apache-2.0
"""The short sample is one that nova-ha reads, and says all that it has to."""

from pathlib import Path

import pytest
from oslo_config import cfg

from nova_ha_scheduler.service import startup
from nova_ha_scheduler.service.parts import cloud

SAMPLE = Path(__file__).parents[3] / "etc/nova-ha-scheduler/nova-ha.conf.minimal"


def _load(path: Path) -> cfg.ConfigOpts:
    """As the service and the commands read it; no cloud is asked."""
    conf = startup.load("nova-ha", [f"--config-file={path}"])
    cloud(conf)
    return conf


def test_ten_lines() -> None:
    assert len(SAMPLE.read_text().splitlines()) <= 10


def test_it_is_read() -> None:
    conf = _load(SAMPLE)
    assert conf.cloud.auth_url == "https://keystone.example.org:5000/v3"
    assert conf.cloud.username == "nova-ha"
    assert conf.database.connection.startswith("sqlite:////var/lib/nova-ha-scheduler/")


@pytest.mark.parametrize("name", ["username", "password"])
def test_a_misspelt_line_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / "nova-ha.conf"
    path.write_text(SAMPLE.read_text().replace(f"\n{name} =", f"\n{name}x ="))
    with pytest.raises(cfg.Error, match=f"{name}x.*did you mean {name}"):
        _load(path)
