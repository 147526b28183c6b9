# SPDX-License-Identifier: Apache-2.0
"""How [cloud] says to log in: one connection, whose every exchange ends."""

import urllib.parse
from collections.abc import Mapping
from typing import Any

import openstack
import requests
from keystoneauth1 import loading
from keystoneauth1 import session as ks_session
from oslo_config import cfg

from nova_ha_scheduler import exchange
from nova_ha_scheduler.cluster.conf import REQUEST_TIMEOUT, register_login
from nova_ha_scheduler.cluster.openstack import away

_TLS = ("tls_ciphers", "tls_min_version")
"""Options of newer keystoneauth1 that its adapter has to know."""


class _Adapter(exchange.BoundedAdapter, ks_session.TCPKeepAliveAdapter):
    """keystoneauth1's, each of whose exchanges ends."""


def connect(
    conf: cfg.ConfigOpts, at_once: int = requests.adapters.DEFAULT_POOLSIZE
) -> openstack.connection.Connection:
    """A connection as [cloud] says; it logs in at the first request.

    :param at_once: how many requests are sent to one service at the same time; for so
        many, TCP connections are kept.
    :raises cfg.Error: the options or clouds.yaml do not say enough.
    """
    connection = _connection(conf)
    session = connection.session
    # The login and the look at what a service can do bring no time-out of their own.
    seconds = session.timeout or REQUEST_TIMEOUT
    tls = {name: getattr(session, name) for name in _TLS if hasattr(session, name)}
    adapter = _Adapter(seconds=seconds, pool_maxsize=at_once, **tls)
    exchange.bound(session.session, adapter)
    session.redirect = exchange.REDIRECTS
    session.auth._lock = away.Once()
    return connection


def _connection(conf: cfg.ConfigOpts) -> openstack.connection.Connection:
    register_login(conf)
    try:
        auth = loading.load_auth_from_conf_options(conf, "cloud")
        if auth is None:
            region = openstack.config.OpenStackConfig(app_name="nova-ha").get_one(
                cloud=conf.cloud.name, **_given(region_name=conf.cloud.region_name)
            )
            _require_secrets(region.config["auth_type"], region.config["auth"])
            _check_urls(region.get_auth())
            return openstack.connection.Connection(config=region)
        _require_secrets(conf.cloud.auth_type, dict(conf.cloud.items()))
        _check_urls(auth)
        session = loading.load_session_from_conf_options(conf, "cloud", auth=auth)
        return openstack.connection.Connection(
            session=session,
            region_name=conf.cloud.region_name,
            interface=conf.cloud.interface,
        )
    except away.LOST as error:
        if conf.cloud.auth_type is None and conf.cloud.name is None:
            files = ", ".join(conf.config_file or ()) or _NO_FILE
            raise cfg.Error(_NO_CLOUD.format(error, files=files)) from error
        raise cfg.Error(f"[cloud]: {error}") from error


def login_place(conf: cfg.ConfigOpts) -> str:
    """Where it is said how to log in, for sentences."""
    if conf.cloud.auth_type is not None:
        return away.CLOUD
    name = conf.cloud.name
    return f"clouds.yaml, cloud {name}" if name else "clouds.yaml or OS_* variables"


_NO_FILE = "nova-ha.conf (which does not exist in /etc/nova-ha-scheduler)"

_NO_CLOUD = (
    "[cloud] of {files} says nothing of how to log in: auth_type, auth_url, "
    "username, password, project_name, user_domain_name and project_domain_name stand "
    "there, or the name of a cloud in clouds.yaml, or else OS_* variables in the "
    "environment ({})"
)

_SECRETS = {
    "password": "password",
    "v2password": "password",
    "v3password": "password",
    "v3applicationcredential": "application_credential_secret",
    "v3totp": "passcode",
    "token": "token",
    "v3token": "token",
}
"""What keystoneauth's plugins miss no sooner than at the first request."""


def _require_secrets(auth_type: str, said: Mapping[str, Any]) -> None:
    """:raises cfg.Error: nobody can log in without it."""
    secret = _SECRETS.get(auth_type)
    if secret is not None and not said.get(secret):
        raise cfg.Error(f"[cloud] {secret} is missing: auth_type {auth_type} needs it")
    if secret == "password" and not (said.get("username") or said.get("user_id")):
        raise cfg.Error(f"[cloud] username is missing: auth_type {auth_type} needs it")


def _check_urls(auth: Any) -> None:
    """:raises cfg.Error: where we would log in is no URL, or has a password in it."""
    for option in ("auth_url", "endpoint"):
        url = getattr(auth, option, None)
        if url is not None:
            _check_url(option, url)


def _check_url(option: str, url: str) -> None:
    """Its text is not shown: there may be a password in it."""
    try:
        found = urllib.parse.urlsplit(url)
        whole = found.scheme in ("http", "https") and found.hostname
        named = "@" in found.netloc
        _ = found.port
    except ValueError:
        whole, named = None, False
    if named:
        raise cfg.Error(
            f"[cloud] {option}: username and password have options of their own, and "
            "must not stand in the URL"
        )
    if not whole:
        raise cfg.Error(
            f"[cloud] {option}: a URL such as https://192.0.2.5:5000/v3 is needed"
        )


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
