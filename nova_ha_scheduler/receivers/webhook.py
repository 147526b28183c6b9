# SPDX-License-Identifier: Apache-2.0
"""The type ``webhook``: a POST of JSON."""

import contextlib
import contextvars
import json
import logging
import ssl
import urllib.parse
from collections.abc import Iterator
from typing import Any

import requests
from oslo_config import cfg

from nova_ha_scheduler import exchange
from nova_ha_scheduler.cluster.openstack import away
from nova_ha_scheduler.fencing.secrets import Secret, scrub
from nova_ha_scheduler.printable import one_line
from nova_ha_scheduler.receivers import (
    Receiver,
    ReceiverError,
    secret_files,
    template,
)
from nova_ha_scheduler.receivers.message import Message

_ANSWER_BYTES = 1024 * 1024

_SHOWN = 200
"""Characters of an answer."""

_SHORTEST = 8
"""Characters of a part of an address that may be a secret by itself."""

_asks = contextvars.ContextVar("asks", default=False)


class _Unlogged(logging.Filter):
    """urllib3 logs addresses, if somebody lets it: those of ours may be secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _asks.get()


logging.getLogger("urllib3.connectionpool").addFilter(_Unlogged())


class Webhook(Receiver):
    """A message is taken where the answer is 2xx; a redirect is not followed."""

    def __init__(self, name: str, options: cfg.ConfigOpts.GroupAttr) -> None:
        super().__init__(name, options)
        if bool(options.url) == bool(options.url_file):
            raise self.wrong("url", "or url_file has to be set, and one of them alone")
        if options.url and urllib.parse.urlsplit(options.url).username is not None:
            raise self.wrong("url", "has a user in it: use url_file, or headers_file")

    @property
    def place(self) -> str:
        if self.options.url_file:
            return f"the address in {self.options.url_file}"
        return _shown(self.options.url)

    def secret_files(self) -> Iterator[str]:
        found = self.options.url_file, self.options.headers_file
        yield from filter(None, found)

    def send(self, message: Message) -> str:
        body: Any = message.values
        if path := self.options.template_file:
            try:
                body = template.fill(secret_files.text("template_file", path), body)
            except ValueError as error:
                raise ReceiverError(f"template_file: {path}: {error}") from None
        answer, secrets = self._ask("POST", json.dumps(body))
        if not answer.ok or answer.is_redirect:
            said = scrub(f"{answer.reason} {answer.text[: 4 * _SHOWN]}", secrets)
            words = one_line(said, _SHOWN)
            raise ReceiverError(f"it answers {answer.status_code}: {words}")
        return ""

    def probe(self) -> None:
        """Whatever it answers: it is there."""
        if path := self.options.template_file:
            try:
                json.loads(secret_files.text("template_file", path))
            except ValueError as error:
                raise ReceiverError(f"template_file: {path}: {error}") from None
        self._ask("HEAD", None)

    def _ask(
        self, method: str, body: str | None
    ) -> tuple[requests.Response, list[Secret]]:
        url, secrets = self._address()
        headers = {"Content-Type": "application/json", "User-Agent": "nova-ha"}
        for name, value in self._headers():
            headers[name] = value.reveal()
            secrets += [value, *map(Secret, value.reveal().split())]
        seconds = self.options.timeout
        with _unlogged(), exchange.session(seconds, _ANSWER_BYTES) as session:
            session.trust_env = False  # no password of a ~/.netrc
            session.verify = self.options.ca_file or True
            try:
                answer = session.request(
                    method,
                    url,
                    data=body and body.encode(),
                    headers=headers,
                    allow_redirects=False,
                    proxies=requests.utils.get_environ_proxies(url),
                )
            except (requests.RequestException, ValueError, OSError) as error:
                why = scrub(_why(error, seconds), secrets)
                raise ReceiverError(why) from None
        return answer, secrets

    def _address(self) -> tuple[str, list[Secret]]:
        if not self.options.url_file:
            return self.options.url, []
        url = secret_files.secret("url_file", self.options.url_file)
        parts = urllib.parse.urlsplit(url.reveal())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            words = "does not hold an address that begins with http:// or https://"
            raise ReceiverError(f"url_file: {self.options.url_file} {words}")
        pieces = [*parts.path.split("/"), *parts.query.replace("=", "&").split("&")]
        pieces += [parts.username or "", parts.password or ""]
        long = {piece for piece in pieces if len(piece) >= _SHORTEST}
        return url.reveal(), [url, *map(Secret, long)]

    def _headers(self) -> Iterator[tuple[str, Secret]]:
        if not (path := self.options.headers_file):
            return
        for number, line in enumerate(
            secret_files.text("headers_file", path).splitlines(), 1
        ):
            name, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not (colon and name.strip() and value.strip()):
                words = f"line {number} is no header: NAME: VALUE"
                raise ReceiverError(f"headers_file: {path}: {words}")
            yield name.strip(), Secret(value.strip())


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    token = _asks.set(True)
    try:
        yield
    finally:
        _asks.reset(token)


def _shown(url: str) -> str:
    """Without a query, in which a secret may stand in spite of all."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _why(error: Exception, seconds: float) -> str:
    inner = away.root(error)
    if isinstance(error, requests.Timeout) or isinstance(inner, TimeoutError):
        return f"there is no whole answer within {seconds:g} s"
    if isinstance(inner, ssl.SSLError):
        return f"there is no TLS with it: {one_line(inner.reason or inner)}"
    if isinstance(inner, OSError) and inner.strerror:
        return f"it cannot be reached: {one_line(inner.strerror)}"
    return f"it cannot be asked: {type(inner).__name__}: {one_line(inner, _SHOWN)}"
