# SPDX-License-Identifier: Apache-2.0
"""Options: a bad value stops the start, with its name; the sample is up to date."""

import subprocess
import sys
from pathlib import Path

import pytest
from oslo_config import cfg

from nova_ha_scheduler import conf
from nova_ha_scheduler.rules.terms import Policy, ZonelessSource

SAMPLE = Path("etc/nova-ha-scheduler/nova-ha-scheduler.conf.sample")


def load(tmp_path, text):
    file = tmp_path / "nova.conf"
    file.write_text(f"[ha_scheduler]\n{text}\n")
    config = cfg.ConfigOpts()
    config([], default_config_files=[str(file)])
    return conf.policy(config)


def test_defaults_are_those_of_the_tables(tmp_path):
    assert load(tmp_path, "") == Policy()


def test_values(tmp_path):
    policy = load(
        tmp_path,
        "live_migrate_to_reserve = true\nreserve_for_ha_only = yes\n"
        "isolate_ha_hosts = 1\nexempt_volume_backed = on\nzoneless_source = refuse",
    )
    assert policy == Policy(True, True, True, True, ZonelessSource.REFUSE)


@pytest.mark.parametrize(
    "text",
    [
        "zoneless_source = anywhere",
        "placement_prefilter = perhaps",
        "lookup_timeout = 0",
        "failover_host_weight_multiplier = high",
        "admission = on",
        "admission_failures = 0",
        "admission_max_age = 0",
        "admission_when_stale = pass",
        "admission_weight_multiplier = much",
    ],
)
def test_a_bad_value_names_its_option(tmp_path, text):
    with pytest.raises(cfg.ConfigFileValueError, match=text.split()[0]):
        load(tmp_path, text)


def test_the_sample_is_what_the_generator_prints():
    result = subprocess.run(
        [
            Path(sys.executable).with_name("oslo-config-generator"),
            "--namespace=nova_ha_scheduler",
            "--wrap-width=79",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == SAMPLE.read_text()


def test_every_option_has_help_and_is_listed():
    ((group, options),) = conf.list_opts()
    assert group.name == "ha_scheduler"
    assert all(len(option.help) > 40 for option in options)
