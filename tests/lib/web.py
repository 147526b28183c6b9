# SPDX-License-Identifier: Apache-2.0
"""Serve WSGI applications on loopback ports, quietly and with a thread a connection.

wsgiref serves one request a connection. Nova's services ask each other dozens of times
for each move of a server, and real web servers keep their connections open.
"""

import io
import socketserver
import threading
from typing import Any
from wsgiref import simple_server

LOOPBACK = "127.0.0.1"

IDLE = 7.3
"""Seconds after which the servers of a stack close a connection that says nothing, as
Apache does: nova-conductor opens one to Placement before it forks its workers, who
would share it and take each other's answers. Nobody asks at this interval."""


class _Answer(simple_server.ServerHandler):
    http_version = "1.1"
    headers: Any
    request_handler: Any

    def cleanup_headers(self) -> None:
        super().cleanup_headers()
        if "Content-Length" not in self.headers:
            self.headers["Connection"] = "close"
            self.request_handler.close_connection = True


class _Request(simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: Nova logs its own requests."""


class _Connection(_Request):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together

    def handle(self) -> None:
        self.close_connection = False
        while not self.close_connection:
            try:
                self.raw_requestline = self.rfile.readline(65537)
            except TimeoutError:
                return
            if not self.raw_requestline or not self.parse_request():
                return
            self._answer()

    def _answer(self) -> None:
        body: Any = self.rfile
        if "Transfer-Encoding" in self.headers:  # nobody here knows its end
            self.close_connection = True
        else:  # all of it, whether the application wants it or not
            body = io.BytesIO(body.read(int(self.headers["Content-Length"] or 0)))
        server: Any = self.server
        out: Any = self.wfile
        answer: Any = _Answer(body, out, self.get_stderr(), self.get_environ())
        answer.request_handler = self
        answer.run(server.get_app())
        out.flush()  # wsgiref leaves an answer without a body unsent


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

    def __init__(
        self,
        name: str,
        keep_open: bool = True,
        port: int = 0,
        idle: float | None = None,
    ) -> None:
        """:param keep_open: serve many requests a connection.
        :param port: 0 for any that is free.
        :param idle: seconds after which a connection that says nothing is closed.
        """
        handler: Any = _Connection if keep_open else _Request
        if idle is not None:
            handler = type(handler.__name__, (handler,), {"timeout": idle})
        self._server = _Server((LOOPBACK, port), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name=f"http-{name}",
            daemon=True,
        )
        self.port = self._server.server_port
        self.url = f"http://{LOOPBACK}:{self.port}"

    def start(self, application: Any) -> None:
        self._server.set_app(application)
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
