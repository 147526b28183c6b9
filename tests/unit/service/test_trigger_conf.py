# SPDX-License-Identifier: Apache-2.0
"""What nova-ha.conf says reaches the engine, and what is wrong is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from oslo_config import cfg

from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.service import conf as trigger_conf


def _options(tmp_path: Path, text: str) -> Options:
    file = tmp_path / "nova-ha.conf"
    file.write_text(text)
    conf = cfg.ConfigOpts()
    trigger_conf.register_opts(conf)
    conf(["--config-file", str(file)])
    return trigger_conf.options(conf)


def test_the_defaults_are_the_engines(tmp_path: Path) -> None:
    assert _options(tmp_path, "") == Options()


def test_every_group_reaches_the_engine(tmp_path: Path) -> None:
    found = _options(
        tmp_path,
        "[detection]\ndown_time = 120\n[guard]\nwindow = 7\nmax_hosts = 0\n"
        "[evacuation]\nprotect_all_servers = true\nattempts = 5\n"
        "[maintenance]\nmax_in_flight = 2\nattempts = 4\n"
        "[return]\nenable = false\nfailback = true\nwithin = 60\n"
        "[ha_scheduler]\nfailover_host_weight_multiplier = -1\n",
    )
    assert found == replace(
        Options(),
        down_time=120.0,
        guard_window=7.0,
        max_hosts=0,
        protect_all_servers=True,
        attempts=5,
        prefer_reserve=False,
        maintenance_max_in_flight=2,
        maintenance_attempts=4,
        return_enable=False,
        return_failback=True,
        return_within=60.0,
    )


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("[guard]\nmax_zone_percent = 101", "max_zone_percent"),
        ("[guard]\ncooldown = -1", "cooldown"),
        ("[evacuation]\nsettle = 0", "settle"),
        ("[evacuation]\nattempts = many", "attempts"),
        ("[maintenance]\nmax_in_flight = 0", "max_in_flight"),
        ("[return]\nwithin = soon", "within"),
        ("[fencing]\nrequest_timeout = 0", "request_timeout"),
    ],
)
def test_a_value_out_of_range_is_named(tmp_path: Path, text: str, option: str) -> None:
    with pytest.raises(cfg.ConfigFileValueError, match=option):
        _options(tmp_path, text)
