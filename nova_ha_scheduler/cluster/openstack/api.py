# SPDX-License-Identifier: Apache-2.0
"""One session, one token, and requests whose answers are looked at."""

import math
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import openstack
import os_service_types
import requests
from openstack import exceptions as sdk_exceptions

from nova_ha_scheduler import exchange
from nova_ha_scheduler.cluster.conf import REQUEST_TIMEOUT
from nova_ha_scheduler.cluster.errors import (
    AnswerTooLarge,
    CloudUnreachable,
    Refused,
)
from nova_ha_scheduler.cluster.openstack import away, fields
from nova_ha_scheduler.cluster.openstack.renewal import Renewed
from nova_ha_scheduler.printable import flat, plain

READ = "2.100"
"""Nova 2025.1 and later. A server with its flavor's extra specs (2.47), the zone that
it is pinned to (2.96), its image's properties (2.98), its scheduler hints (2.100)."""

ACT = "2.94"
"""From 2.95 on, an evacuated server ends stopped."""

HYPERVISORS = "2.87"
"""From 2.88 on, Nova may ask each hypervisor for its uptime."""

PLACEMENT = "1.36"
"""Nova 2025.1's Placement and later: groups with suffixes, aggregates that a host must
not be in, groups that belong below one provider."""

Json = dict[str, Any]

_TYPES = os_service_types.ServiceTypes()
"""What keystone's catalogs call services."""

_DIGITS = 100
"""Of a number, at most."""

_SMALLER = (100, 10, 1)
"""Objects of a page, where a whole one is too large: by default, a tenant may write 64
KiB of user data and some hundreds of metadata into each server."""


class Api:
    """Requests to the services of a connection.

    :ivar sent: how many were sent, token and discovery aside.
    """

    def __init__(
        self,
        connection: openstack.connection.Connection,
        timeout: float | None = None,
        place: str = away.CLOUD,
        again: Callable[[], openstack.connection.Connection] | None = None,
    ) -> None:
        """
        :param timeout: seconds for one request.
        :param place: where the login is set; see login_place.
        :param again: makes such a connection, for who is to live long.
        """
        self._connections, self._place = Renewed(connection, again), place
        self._timeout = timeout or REQUEST_TIMEOUT
        self.sent = 0
        self._newest = ""

    @property
    def progress(self) -> str:
        """What is asked for now, for people who wait."""
        return f"Asking the cloud: {self._newest}, request {self.sent}"

    def get(
        self,
        service: str,
        path: str,
        microversion: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Json:
        """Read. :raises CloudUnreachable: for every answer that is not a good one."""
        try:
            found = self._read(service, path, microversion, params)
        except CloudUnreachable:
            self._connections.failed(service)
            raise
        self._connections.answered(service)
        return found

    def _read(
        self,
        service: str,
        path: str,
        microversion: str | None,
        params: Mapping[str, Any] | None,
    ) -> Json:
        try:
            answer = self._send(service, "GET", path, microversion, params=params)
            if answer.ok:
                return _object(answer)
            problem = f"{answer.status_code}: {_message(answer)}"
        except CloudUnreachable:
            raise
        except Exception as error:  # also of libraries that read what was answered
            words = f"{service} GET {path}: {self._words(service, error)}"
            large = isinstance(away.root(error), exchange.TooLarge)
            raise (AnswerTooLarge if large else CloudUnreachable)(words) from error
        words = f"{service} GET {path}: {problem}"
        raise CloudUnreachable(words, answer.status_code)

    def pages(
        self,
        service: str,
        path: str,
        key: str,
        microversion: str | None = None,
        **params: Any,
    ) -> Iterator[Json]:
        """All items of a list, page by page, as its links say.

        :raises CloudUnreachable: a page could not be had, is none, or comes again.
        """
        where = f"{service} GET {path}"
        query: Mapping[str, Any] | None = params
        seen: list[Mapping[str, Any]] = []
        while query is not None:
            if query in seen:
                words = f"{where}: its pages lead back to one another"
                raise CloudUnreachable(words)
            seen.append(query)
            body = self._page(service, path, microversion, query)
            yield from fields.listed(body, key, where)
            query = _next(body.get(f"{key}_links") or (), where)

    def _page(
        self,
        service: str,
        path: str,
        microversion: str | None,
        query: Mapping[str, Any],
    ) -> Json:
        """A page, or, of one that is too large, the part of it that can be read: its
        link leads to the rest."""
        for limit in _SMALLER:
            try:
                return self.get(service, path, microversion, query)
            except AnswerTooLarge:
                query = {**query, "limit": limit}
        return self.get(service, path, microversion, query)

    def newest(self, service: str) -> tuple[int, ...]:
        """The newest microversion that the service has; (0,): none.

        :raises CloudUnreachable: it has no endpoint, or does not answer.
        """
        connection = self._logged_in()
        try:
            found = getattr(connection, service).get_endpoint_data()
        except Exception as error:  # also of libraries that read what was answered
            words = f"{service}: {self._words(service, error)}"
            raise CloudUnreachable(words) from error
        if found is None:
            raise CloudUnreachable(f"{service}: there is no endpoint of it")
        return tuple(found.max_microversion or (0,))

    def access(self) -> Any:
        """What the token says of itself: keystoneauth1's AccessInfoV3; None, where the
        login is by no token.

        :raises CloudUnreachable: keystone lets nobody in.
        """
        session = self._logged_in().session
        if not hasattr(session.auth, "get_access"):
            return None
        try:
            return session.auth.get_access(session)
        except Exception as error:  # also of libraries that read what was answered
            url = getattr(session.auth, "auth_url", None)
            raise CloudUnreachable(away.of_login(error, url, self._place)) from error

    def user(self) -> str:
        """As whom the services know us, for people; "": they know nobody.

        :raises CloudUnreachable: keystone lets nobody in.
        """
        if (token := self.access()) is None:
            return ""
        try:
            whose = f"{token.username} ({token.user_id})"
            if token.project_name:
                whose += f" of project {token.project_name}"
            if token.application_credential_id:
                whose += f", application credential {token.application_credential_id}"
            return plain(f"{whose}, roles: {', '.join(sorted(token.role_names))}")
        except (LookupError, TypeError, AttributeError) as error:
            words = f"keystone: what it says of the token cannot be read: {error!r}"
            raise CloudUnreachable(words) from error

    def endpoint(self, service: str) -> tuple[str, str] | None:
        """A service's type in keystone's catalog, and the path of its endpoint with the
        version; None: it has none.

        :raises CloudUnreachable: keystone lets nobody in, or a service does not say
            which versions it has.
        """
        connection = self._logged_in()
        proxy = getattr(connection, service)
        if (token := self.access()) is None:
            return None
        known = {entry["type"] for entry in token.service_catalog.catalog}
        kinds = [proxy.service_type, *_TYPES.get_all_types(service.replace("_", "-"))]
        kind = next((kind for kind in kinds if kind in known), None)
        if kind is None:
            return None
        try:
            url = proxy.get_endpoint()
        except Exception as error:  # also of libraries that read what was answered
            words = f"{service}: {self._words(service, error)}"
            raise CloudUnreachable(words) from error
        return kind, urllib.parse.urlsplit(url or "").path.rstrip("/")

    def forbids(self, method: str, path: str, body: Json) -> bool:
        """Whether Nova's policy has no such request of ours.

        To be asked of what does not exist, so that nothing is changed: Nova looks at
        the policy first.

        :raises CloudUnreachable: there was no answer.
        """
        return self.status("compute", method, path, ACT, json=body) == 403

    def status(
        self,
        service: str,
        method: str,
        path: str,
        microversion: str | None = None,
        **more: Any,
    ) -> int:
        """What a service answers, as HTTP's number alone.

        :raises CloudUnreachable: there was no answer.
        """
        try:
            answer = self._send(service, method, path, microversion, **more)
        except CloudUnreachable:
            raise
        except Exception as error:
            words = f"{service} {method} {path}: {self._words(service, error)}"
            raise CloudUnreachable(words) from error
        return int(answer.status_code)

    def act(self, method: str, path: str, body: Json) -> str:
        """Have Nova do something. :returns: Nova's request id.

        :raises Refused: a definite no. Anything else that is raised: unknown.
        """
        answer = self._send("compute", method, path, ACT, json=body)
        request_id = plain(answer.headers.get("x-openstack-request-id", ""), 255)
        if answer.ok:
            return request_id
        words = f"{_message(answer)} ({answer.status_code} {request_id})"
        # 408: a proxy gave up on Nova, which may have got the request.
        if 400 <= answer.status_code < 500 and answer.status_code != 408:
            raise Refused(words)
        raise RuntimeError(words)

    def _send(
        self,
        service: str,
        method: str,
        path: str,
        microversion: str | None,
        **more: Any,
    ) -> requests.Response:
        self.sent += 1
        self._newest = f"{service} {path}"
        proxy = getattr(self._logged_in(), service)
        send = partial(
            proxy.request,
            path,
            method,
            microversion=microversion,
            timeout=self._timeout,
            raise_exc=False,
            **more,
        )
        answer: requests.Response = send()
        if answer.status_code == 401:
            # keystoneauth renews a token that is refused, but for the first alone of
            # several requests that find it so at the same time.
            answer = send()
        return answer

    def _logged_in(self) -> openstack.connection.Connection:
        """Log in where that is not done yet: it fails for reasons of its own.

        :raises CloudUnreachable: keystone lets nobody in.
        """
        connection = self._connections.connection
        session = connection.session
        try:
            session.get_auth_headers()
        except Exception as error:  # also of libraries that read what was answered
            url = getattr(session.auth, "auth_url", None)
            words = away.of_login(error, url, self._place)
            raise CloudUnreachable(words) from error
        return connection

    def _words(self, service: str, error: Exception) -> str:
        return away.of_service(service, error, self._connections.connection.config)


def _object(answer: requests.Response) -> Json:
    """:raises ValueError: the answer is no JSON object."""
    try:
        body = answer.json(parse_int=_number)
    except RecursionError as error:
        raise ValueError("the answer is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"the answer is no JSON ({type(error).__name__})") from error
    if not isinstance(body, dict):
        raise ValueError(f"the answer is no object, but {type(body).__name__}")
    return body


def _number(digits: str) -> float:
    """Python reads no number of thousands of digits, and would read nothing of an
    answer for the sake of one: it is none that is meant."""
    return int(digits) if len(digits) < _DIGITS else math.inf


def _next(links: Any, where: str) -> Mapping[str, Any] | None:
    """The query of the next page."""
    try:
        found = {link["rel"]: link["href"] for link in links}
        # Only the query: a proxy may have made the address one for others.
        url = urllib.parse.urlsplit(found["next"]) if "next" in found else None
        return urllib.parse.parse_qs(url.query) if url else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CloudUnreachable(f"{where}: its links cannot be read") from error


def _message(answer: requests.Response) -> str:
    """What the service says of an error."""
    try:
        sdk_exceptions.raise_from_response(answer)
    except sdk_exceptions.HttpException as error:
        return flat(error.details or error.message)
    except Exception:  # what it says cannot be read
        return flat(answer.reason)
    return flat(answer.reason)
