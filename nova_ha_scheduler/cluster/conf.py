# SPDX-License-Identifier: Apache-2.0
"""The options in [cloud] of nova-ha.conf."""

from typing import Any

from oslo_config import cfg

REQUEST_TIMEOUT = 60.0
"""Seconds that one API request may take, where [cloud] timeout is not set."""

GROUP = cfg.OptGroup(
    "cloud",
    help="How the trigger logs in: with keystoneauth's options in this group "
    "(auth_type, auth_url, ...), or else as clouds.yaml or the OS_* variables of the "
    "environment say. It needs a role that may do what nova-manage's operators do: "
    "list all servers, force services down, evacuate.",
)
OPTS = [
    cfg.StrOpt(
        "name", help="The cloud in clouds.yaml. Unset: OS_CLOUD, or OS_* variables."
    ),
    cfg.StrOpt("region_name", help="The region, where keystone knows several."),
    cfg.StrOpt(
        "interface",
        default="internal",
        choices=["internal", "public", "admin"],
        help="Which endpoints to use, with keystoneauth's options; clouds.yaml says "
        "it itself.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the group with the options that are ours; again does nothing."""
    # Not GROUP itself: what a plugin registers would stay there, and be required of
    # every other configuration in this process, as of one that is read anew.
    conf.register_group(cfg.OptGroup(GROUP.name, title=GROUP.title, help=GROUP.help))
    conf.register_opts(OPTS, group=GROUP.name)


def register_login(conf: cfg.ConfigOpts) -> None:
    """Register keystoneauth's options of the group, for who asks the cloud.

    Those of the auth plugin are registered when one is loaded.
    """
    loading = _loading()
    loading.register_auth_conf_options(conf, GROUP.name)
    loading.register_session_conf_options(conf, GROUP.name)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    loading = _loading()
    login = [
        *loading.get_auth_common_conf_options(),
        *loading.get_session_conf_options(),
        *loading.get_auth_plugin_conf_options("v3password"),
    ]
    return [(GROUP, OPTS + login)]


def _loading() -> Any:
    """With it comes requests: what only reads the journal does not wait for them."""
    from keystoneauth1 import loading

    return loading
