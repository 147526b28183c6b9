# SPDX-License-Identifier: Apache-2.0
"""Serve WSGI applications on loopback ports, quietly and with a thread a request."""

import socketserver
import threading
from typing import Any
from wsgiref import simple_server

LOOPBACK = "127.0.0.1"


class _Handler(simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: Nova logs its own requests."""


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind without the reverse DNS lookup that ``HTTPServer`` does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]
        self.setup_environ()


class WebServer:
    """An HTTP server on a free port of the loopback interface.

    The port is taken when the object is made and the application may be set later:
    services name each other's ports in their configuration before they exist.
    """

    def __init__(self, name: str) -> None:
        self._server = _Server((LOOPBACK, 0), _Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name=f"http-{name}",
            daemon=True,
        )
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"

    def start(self, application: Any) -> None:
        self._server.set_app(application)
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
