# SPDX-License-Identifier: Apache-2.0
"""HTTP on threads, for a few who ask seldom, and for nobody who means harm for long.

A connection has one request and one deadline, and there are only so many at a time: who
drips, or opens many, keeps others from asking for a while, and the trigger from
nothing. With TLS, the handshake is the connection's, too.
"""

import contextlib
import ipaddress
import os
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from wsgiref import simple_server

from oslo_config import cfg
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

_MOST = 32
"""Connections at a time; more are closed at once."""

_SECONDS = 20.0
"""For a connection from its beginning to its end."""

_GLANCE = 0.5
"""Seconds between two looks at these, and at whether it is to end."""


@dataclass(frozen=True)
class WebPlace:
    """Where it is served, as [health] of nova-ha.conf says."""

    host: str
    port: int
    cert_file: str = ""
    key_file: str = ""
    ca_file: str = ""

    @classmethod
    def of(cls, conf: cfg.ConfigOpts) -> "WebPlace | None":
        """None: nowhere. :raises cfg.Error: it cannot be meant; it names the option."""
        said = conf.health
        if said.port is None:
            return None
        found = cls(
            said.bind_host, said.port, said.cert_file, said.key_file, said.ca_file
        )
        for name in ("key_file", "ca_file"):
            if getattr(found, name) and not found.cert_file:
                raise cfg.Error(f"[health] {name} without [health] cert_file")
        found.context()
        return found

    def context(self) -> ssl.SSLContext | None:
        """None: it speaks no TLS. :raises cfg.Error: it names option and file."""
        if not self.cert_file:
            return None
        for option, path in self._files().items():
            try:
                with open(path, "rb"):
                    pass
            except OSError as error:
                words = f"[health] {option}: {path}: {error.strerror}"
                raise cfg.Error(words) from None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # An empty password is none: nobody is there to be asked for one.
            context.load_cert_chain(
                self.cert_file, self.key_file or None, password=lambda: ""
            )
        except (ssl.SSLError, ValueError) as error:
            files = f"cert_file {self.cert_file}"
            files += f" with key_file {self.key_file}" if self.key_file else ""
            raise cfg.Error(
                f"[health] {files}: no certificate with its key, without a password: "
                f"{_reason(error)}"
            ) from None
        if self.ca_file:
            try:
                context.load_verify_locations(self.ca_file)
            except (ssl.SSLError, ValueError) as error:
                words = f"[health] ca_file {self.ca_file}: no certificates"
                raise cfg.Error(f"{words}: {_reason(error)}") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def stamp(self) -> tuple[object, ...]:
        """What changes when one of the files does."""
        return tuple(_stat(path) for path in self._files().values())

    def _files(self) -> Mapping[str, str]:
        names = ("cert_file", "key_file", "ca_file")
        return {name: path for name in names if (path := getattr(self, name))}

    def __str__(self) -> str:
        scheme = "https" if self.cert_file else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/"


class WebServer(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    """Serves from serve() until stop(), which may be called from anywhere.

    :ivar context: for the connections that begin from now on.
    :raises OSError: the port cannot be opened now.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, place: WebPlace, application: Any) -> None:
        if ipaddress.ip_address(place.host).version == 6:
            self.address_family = socket.AF_INET6
        self.context, self._port = place.context(), place.port
        self._open: dict[Any, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        super().__init__((place.host, place.port), _Handler)
        self.set_app(application)

    def serve(self) -> None:
        threading.Thread(
            target=self.serve_forever, args=(_GLANCE,), name="http", daemon=True
        ).start()

    def stop(self) -> None:
        """Return when the port is closed; at most a look later."""
        self.shutdown()
        self.server_close()

    def server_bind(self) -> None:
        # Not http.server's, which asks the resolver for a name, and may hang there.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self._port
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            full = len(self._open) >= _MOST
            if not full:
                self._open[request] = time.monotonic(), request
        if full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own."""
        request.settimeout(_SECONDS)
        if self.context is None:
            super().finish_request(request, client_address)
            return
        wrapped = self.context.wrap_socket(
            request, server_side=True, do_handshake_on_connect=False
        )
        with self._lock:  # the socket is the wrapper's from now on
            self._open[request] = self._open[request][0], wrapped
        with wrapped:
            wrapped.do_handshake()
            super().finish_request(wrapped, client_address)

    def shutdown_request(self, request: Any) -> None:
        """At the end of each, whatever it was."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End what lasts too long: reading from it fails then, in its own thread."""
        limit = time.monotonic() - _SECONDS
        with self._lock:
            late = [one for begun, one in self._open.values() if begun < limit]
        for one in late:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who went away, or speaks something else than HTTP, is not worth a warning."""
        LOG.debug("A request of %s broke", client_address, exc_info=True)


class _Handler(simple_server.WSGIRequestHandler):
    server_version, sys_version = "nova-ha", ""

    def log_message(self, format: str, *args: Any) -> None:
        LOG.debug("%s %s", self.client_address[0], format % args)


def _stat(path: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _reason(error: Exception) -> str:
    found = getattr(error, "reason", None) or str(error)
    return str(found).replace("_", " ").lower()
