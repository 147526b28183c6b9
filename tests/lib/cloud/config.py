# SPDX-License-Identifier: Apache-2.0
"""The configuration files of a cloud, as text.

Options that an older Nova lacks are harmless: oslo.config reads only what is
registered.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lib.cloud.stubs import PROJECT, TOKEN, USER

#: section -> option -> value; a list is joined by commas.
Conf = Mapping[str, Mapping[str, Any]]

#: Options of oslo.config's MultiOpt kind, which a list gives one line an item.
_MULTI = {"available_filters"}

CLOUD_NAME = "nova"


def merge(*confs: Conf) -> dict[str, dict[str, Any]]:
    """Lay configurations over each other; the last one wins, option by option."""
    merged: dict[str, dict[str, Any]] = {}
    for conf in confs:
        for section, options in conf.items():
            merged.setdefault(section, {}).update(options)
    return merged


def render(conf: Conf) -> str:
    """Return a configuration as oslo.config's INI text."""
    lines: list[str] = []
    for section, options in conf.items():
        lines.append(f"[{section}]")
        for option, value in options.items():
            if option in _MULTI and isinstance(value, list | tuple):
                lines += [f"{option} = {item}" for item in value]
            elif isinstance(value, list | tuple):
                lines.append(f"{option} = {','.join(map(str, value))}")
            else:
                lines.append(f"{option} = {value}")
    return "\n".join(lines) + "\n"


def nova(
    state: Path,
    endpoints: Mapping[str, str],
    driver: str,
    transport: str,
    api_database: str,
    database: str,
    debug: bool,
) -> dict[str, dict[str, Any]]:
    """Return Nova's configuration as the launcher needs it."""

    def by_token(service: str) -> dict[str, str]:
        url = endpoints[service]
        return {
            "auth_type": "admin_token",
            "token": TOKEN,
            "endpoint": url,
            "endpoint_override": url,
        }

    return {
        "DEFAULT": {
            "host": "controller",
            "my_ip": "127.0.0.1",
            "debug": debug,
            "state_path": state,
            "log_file": state / "nova.log",
            "transport_url": transport,
            "compute_driver": driver,
            "rpc_response_timeout": 60,
            "report_interval": 20,
            "service_down_time": 60,
            # Periodic work that asks stand-ins, and would drown what is measured.
            "heal_instance_info_cache_interval": -1,
            "sync_power_state_interval": -1,
            "update_resources_interval": 600,
            "resume_guests_state_on_host_boot": True,
            "executor_thread_pool_size": 16,
            "cell_worker_thread_pool_size": 32,  # one pool serves all services here
            "max_concurrent_builds": 10,  # Nova 34 wants these two to agree
            "max_concurrent_snapshots": 10,
            "manager_shutdown_timeout": 0,
        },
        # nova-compute takes away what a test gives its host in Placement, once seen.
        "compute": {"resource_provider_association_refresh": 0},
        "api_database": {"connection": api_database, "sqlite_synchronous": False},
        "database": {"connection": database, "sqlite_synchronous": False},
        "wsgi": {"api_paste_config": state / "api-paste.ini"},
        "oslo_concurrency": {"lock_path": state / "lock"},
        "oslo_messaging_notifications": {"driver": "noop"},
        "vnc": {"enabled": False},
        "key_manager": {"backend": "nova.keymgr.conf_key_mgr.ConfKeyManager"},
        "placement": by_token("placement"),
        "neutron": by_token("network"),
        "glance": {"endpoint_override": endpoints["image"]},
        "cinder": {
            "auth_type": "admin_token",
            "token": TOKEN,
            "endpoint": endpoints["block-storage"],
            "endpoint_template": endpoints["block-storage"],
        },
        "quota": {"driver": "nova.quota.NoopQuotaDriver"},
        "filter_scheduler": {"build_failure_weight_multiplier": 0},
    }


def placement(database: str) -> dict[str, dict[str, Any]]:
    return {
        "placement_database": {
            "connection": database,
            "sync_on_startup": True,
            "sqlite_synchronous": False,
        },
        "api": {"auth_strategy": "noauth2"},
    }


def paste() -> str:
    """Return Nova's own paste file with a stand-in for keystonemiddleware.

    Nova's wheel installs the file below the environment's prefix.
    """
    path = Path(sys.prefix, "etc", "nova", "api-paste.ini")
    return path.read_text().replace(
        "keystonemiddleware.auth_token:filter_factory",
        "tests.lib.cloud.stubs:auth_filter",
    )


def clouds_yaml(identity: str) -> str:
    """Return a clouds.yaml for the openstack client and SDK."""
    return f"""\
clouds:
  {CLOUD_NAME}:
    auth:
      auth_url: {identity}/v3
      username: {USER["name"]}
      password: any
      project_name: {PROJECT["name"]}
      user_domain_id: default
      project_domain_id: default
    region_name: RegionOne
"""
