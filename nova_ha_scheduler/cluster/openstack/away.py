# SPDX-License-Identifier: Apache-2.0
"""Why a service could not be asked: one sentence, which names the setting or service.

The libraries between say how they failed, one inside another; whoever runs the cloud
needs the innermost reason, and where to look.
"""

import re
import ssl
import threading
from typing import Any

import requests
import urllib3
from keystoneauth1 import exceptions as ks_exceptions
from openstack import exceptions as sdk_exceptions

from nova_ha_scheduler.printable import one_line, plain

CLOUD = "[cloud]"
"""The section of nova-ha.conf."""

LOST = (
    ks_exceptions.ClientException,
    sdk_exceptions.SDKException,
    requests.RequestException,
)
"""What the libraries raise where a service does not answer as it should."""

_NO_ENDPOINT = (
    ks_exceptions.CatalogException,
    sdk_exceptions.ConfigException,
    sdk_exceptions.NotSupported,
)
_CONNECTION = (
    ks_exceptions.ConnectionError,
    requests.ConnectionError,
    requests.Timeout,
)
_SOURCE_LINE = re.compile(r" ?\(_ssl\.c:\d+\)")


class Once:
    """A login's lock, which the thread that holds it cannot wait for.

    keystoneauth asks keystone what it can do while it holds the lock, and asks once
    more, with a token, where the answer is 401: for that token it would wait for ever.
    """

    def __init__(self) -> None:
        self._lock, self._holder = threading.Lock(), 0

    def __enter__(self) -> None:
        if self._holder == threading.get_ident():
            words = "a token is wanted of who asks for one"
            raise ks_exceptions.Unauthorized(words)  # so the login goes on without
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._holder = 0
        self._lock.release()


def of_login(error: Exception, url: str | None, place: str) -> str:
    """:param place: where the login is set: CLOUD, or something else."""
    setting = f"{CLOUD} auth_url" if place == CLOUD else f"auth_url in {place}"
    at = f"at {url} ({setting})" if url else f"({place})"
    status = getattr(error, "http_status", None)
    if status and 400 <= status < 500 and status != 404:
        return (
            f"keystone {at} refuses the login: {words(error)}; see the user, the "
            f"password, the project and the domains in {place}"
        )
    if isinstance(inner := root(error), ssl.SSLError):
        return (
            f"there is no TLS with keystone {at}: {_why(inner)}; see auth_url, and "
            f"cafile, which names the CA's file, in {place}"
        )
    if any(isinstance(each, _CONNECTION) for each in _chain(error)):
        return (
            f"keystone does not answer {at}: {_why(inner)}; see that the address is "
            "right, that keystone runs there, and that this host reaches it"
        )
    return (
        f"what answers {at} is no keystone, or one that is out of order: "
        f"{words(error)}; see that the address is right, then keystone's log"
    )


def of_service(service: str, error: Exception, config: Any) -> str:
    """:param config: the connection's."""
    if isinstance(error, _NO_ENDPOINT):
        interface = config.get_interface(service)
        region = config.get_region_name(service)
        where = f"interface {interface}" + (f" and region {region}" if region else "")
        return (
            f"keystone's catalog has no endpoint of {service} for {where}, or what "
            "answers there is none: see interface and region_name in [cloud], then "
            "openstack catalog list"
        )
    if any(isinstance(each, _CONNECTION) for each in _chain(error)):
        at = f" at {url}" if (url := _address(error)) else ""
        return (
            f"{service} does not answer{at}: {_why(root(error))}; see that it runs "
            "there, and that its endpoint in keystone's catalog is right"
        )
    return words(error)


def words(error: Exception) -> str:
    """What went wrong; a library that nobody told of such an answer just breaks."""
    if isinstance(error, (*LOST, ValueError)):
        return one_line(error)
    return f"what was answered cannot be read: {one_line(error)}"


def root(error: BaseException) -> BaseException:
    """The innermost reason."""
    *_, inner = _chain(error)
    return inner


def _chain(error: BaseException) -> list[BaseException]:
    """An error, and those that it stands for, outermost first."""
    found = [error]
    while isinstance(inner := _inner(found[-1]), BaseException) and inner not in found:
        found.append(inner)
    return found


def _inner(error: BaseException) -> object:
    if isinstance(error, ks_exceptions.HttpError):
        return None  # a service has answered
    wrapped = (requests.RequestException, urllib3.exceptions.HTTPError)
    inside = error.args if isinstance(error, wrapped) else ()
    context = None if error.__suppress_context__ else error.__context__
    around = (error.__cause__, getattr(error, "reason", None), *inside, context)
    return next((each for each in around if isinstance(each, BaseException)), None)


def _why(error: BaseException) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return one_line(_SOURCE_LINE.sub("", str(said)))


def _address(error: BaseException) -> str:
    """Of the request that was not answered."""
    asked = (getattr(each, "request", None) for each in _chain(error))
    urls = (str(request.url) for request in asked if request is not None)
    return plain(next(urls, "").partition("?")[0], 255)
