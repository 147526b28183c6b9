# SPDX-License-Identifier: Apache-2.0
"""Witnesses against real sockets, programs and HTTP.

Prometheus itself is not started: a small HTTP server stands in for it, with answers
as its documentation shows them.
"""

import contextlib
import http.server
import json
import socket
import tempfile
import threading
import time
import urllib.parse

import pytest
import requests
from oslo_config import cfg

from nova_ha_scheduler.evacuation.interfaces import WitnessVerdict
from nova_ha_scheduler.witnesses import EnabledWitnesses, WitnessOptionError
from tests.lib import peers, ports
from tests.lib.hostile_peer import OK, drips, floods, peer


def witnesses(*enabled, **options) -> EnabledWitnesses:
    """As from a file: overrides would be shared by all ConfigOpts of a process."""
    options = {"timeout": 1.0, "enabled": ",".join(enabled), **options}
    lines = (f"{key} = {value}" for key, value in options.items())
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("\n".join(["[witnesses]", *lines]).replace("$", "$$"))
        file.flush()
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[file.name], default_config_dirs=[])
        return EnabledWitnesses(conf)


def ask(name, host="127.0.0.1", **options):
    (said,) = witnesses(name, **options).testify(host)
    assert said.witness == name
    return said


# ping.


def test_ping_of_this_machine():
    peers.program("ping", "iputils-ping")
    assert ask("ping").verdict is WitnessVerdict.ALIVE


def test_ping_of_an_unknown_name_tells_nothing():
    peers.program("ping", "iputils-ping")
    said = ask("ping", "c1", address="{host}.invalid")
    assert said.verdict is WitnessVerdict.UNKNOWN, said


def test_ping_of_nobody():
    """240.0.0.1 belongs to nobody; what a network says to that differs."""
    peers.program("ping", "iputils-ping")
    started = time.monotonic()
    assert ask("ping", "240.0.0.1").verdict is not WitnessVerdict.ALIVE
    assert time.monotonic() - started < 3


def test_an_address_is_no_option_of_ping():
    peers.program("ping", "iputils-ping")
    assert ask("ping", "-V").verdict is WitnessVerdict.UNKNOWN


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0, WitnessVerdict.ALIVE), (1, WitnessVerdict.DEAD), (2, WitnessVerdict.UNKNOWN)],
)
def test_exit_codes_of_ping(tmp_path, monkeypatch, code, verdict):
    ping = tmp_path / "ping"
    ping.write_text(f'#!/bin/sh\necho "got $*"; exit {code}\n')
    ping.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    said = ask("ping", "c1", address="{host}.mgmt", timeout=3.0)
    assert said.verdict is verdict
    assert said.detail == f"ping ended with {code}: got -n -q -c 1 -w 3 -- c1.mgmt"


# tcp.


@contextlib.contextmanager
def listening(backlog=5):
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as server:
        yield server.getsockname()[1]


def test_tcp_taken():
    with listening() as port:
        assert ask("tcp", tcp_port=port).verdict is WitnessVerdict.ALIVE


def test_tcp_refused_is_life():
    assert ask("tcp", tcp_port=ports.free_port()).verdict is WitnessVerdict.ALIVE


def test_tcp_silence_is_death():
    """A full queue: the kernel drops what knocks, as if nobody were there."""
    with listening(backlog=0) as port, contextlib.ExitStack() as stack:
        for _ in range(4):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        said = ask("tcp", tcp_port=port)
    assert (said.verdict, said.detail) == (
        WitnessVerdict.DEAD,
        f"127.0.0.1 port {port} did not answer",
    )


def test_tcp_unknown_name_tells_nothing():
    assert ask("tcp", "c1", address="{host}.invalid").verdict is WitnessVerdict.UNKNOWN


# prometheus.


class Stub(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        query = urllib.parse.parse_qs(self.rfile.read(length).decode())["query"][0]
        self.server.seen.append((self.path, query, self.headers["Authorization"]))
        time.sleep(self.server.delay)
        with contextlib.suppress(BrokenPipeError):
            self.send_response(self.server.code)
            self.end_headers()
            answers = self.server.answers
            self.wfile.write(answers(query) if answers else self.server.answer)

    def log_message(self, *args):
        pass


@pytest.fixture
def prometheus():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.seen, server.code, server.delay, server.answers = [], 200, 0, None
    server.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def vector(*values) -> bytes:
    result = [{"metric": {}, "value": [1.5, value]} for value in values]
    data = {"resultType": "vector", "result": result}
    return json.dumps({"status": "success", "data": data}).encode()


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (vector("0"), WitnessVerdict.DEAD),
        (vector("0", "0.0"), WitnessVerdict.DEAD),
        (vector("1"), WitnessVerdict.ALIVE),
        (vector("0", "1"), WitnessVerdict.ALIVE),
        (vector("12345"), WitnessVerdict.ALIVE),
        (vector(), WitnessVerdict.UNKNOWN),
        (vector("NaN"), WitnessVerdict.UNKNOWN),
        (
            b'{"data": {"resultType": "scalar", "result": [1, "0"]}}',
            WitnessVerdict.UNKNOWN,
        ),
        (b"<html>", WitnessVerdict.UNKNOWN),
        (b"{}", WitnessVerdict.UNKNOWN),
    ],
)
def test_prometheus(prometheus, answer, verdict):
    prometheus.answer = answer
    said = ask("prometheus", "c1", prometheus_url=prometheus.url)
    assert said.verdict is verdict, said
    assert prometheus.seen == [("/api/v1/query", 'up{instance="c1:9100"}', None)]


def sample(value: str, at: float, **labels: str) -> dict[str, object]:
    return {"metric": labels, "value": [at, value]}


SINCE = 1000.0


@pytest.mark.parametrize(
    ("taken", "verdict"),
    [
        ({"a": ("1", 1001)}, WitnessVerdict.ALIVE),
        ({"a": ("0", 1001)}, WitnessVerdict.DEAD),
        ({"a": ("1", 999)}, WitnessVerdict.UNKNOWN),
        ({"a": ("0", 999)}, WitnessVerdict.UNKNOWN),
        ({"a": ("1", 999), "b": ("0", 1001)}, WitnessVerdict.DEAD),
        ({"a": ("0", 999), "b": ("1", 1001)}, WitnessVerdict.ALIVE),
        ({}, WitnessVerdict.UNKNOWN),
    ],
)
def test_prometheus_after_a_power_off(prometheus, taken, verdict):
    """What an instant query answers has the question's time, not the sample's."""
    now = 1002.5

    def answer(query: str) -> bytes:
        if query.startswith("timestamp("):
            found = [sample(str(at), now, job=job) for job, (_, at) in taken.items()]
        else:
            found = [
                sample(value, now, __name__="up", job=job)
                for job, (value, _) in taken.items()
            ]
        return json.dumps({"data": {"resultType": "vector", "result": found}}).encode()

    prometheus.answers = answer
    one = witnesses("prometheus", prometheus_url=prometheus.url)
    (said,) = one.testify("c1", SINCE)
    assert said.verdict is verdict, said
    if taken:
        assert prometheus.seen[1][1] == 'timestamp(up{instance="c1:9100"})'


def test_prometheus_with_credentials(prometheus):
    prometheus.code, prometheus.answer = 401, vector("0")
    said = ask(
        "prometheus",
        prometheus_url=prometheus.url,
        prometheus_authorization="Bearer hunter2",
    )
    assert said.verdict is WitnessVerdict.UNKNOWN
    assert prometheus.seen[0][2] == "Bearer hunter2"
    assert "hunter2" not in said.detail


def test_prometheus_too_slow(prometheus):
    prometheus.delay, prometheus.answer = 2, vector("0")
    started = time.monotonic()
    said = ask("prometheus", prometheus_url=prometheus.url)
    assert said.verdict is WitnessVerdict.UNKNOWN
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "talk",
    [
        drips(OK + b"Content-Length: 9999\r\n\r\n", b" "),
        floods(OK + b"Content-Length: 9999999999\r\n\r\n", b" " * 65536),
    ],
)
def test_prometheus_that_does_not_end(talk):
    """Not even in the thread that asks it."""
    with peer(talk) as found:
        one = witnesses("prometheus", prometheus_url=found.address)
        started = time.monotonic()
        with pytest.raises(requests.RequestException):
            one._all["prometheus"].ask("c1")
        assert time.monotonic() - started < 5


def test_prometheus_that_is_away():
    url = f"http://127.0.0.1:{ports.free_port()}"
    assert ask("prometheus", prometheus_url=url).verdict is WitnessVerdict.UNKNOWN


# command.


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ("test {host} = c1", WitnessVerdict.ALIVE),
        ("test {host} = c10", WitnessVerdict.DEAD),
        ("sh -c 'exit 2' {host}", WitnessVerdict.UNKNOWN),
        ("sh -c 'exit 127' {host}", WitnessVerdict.UNKNOWN),
        ("sh -c 'kill -9 $$' {host}", WitnessVerdict.UNKNOWN),
        ("sh -c 'sleep 30; exit 1' {host}", WitnessVerdict.UNKNOWN),
    ],
)
def test_command(command, verdict):
    started = time.monotonic()
    assert ask("command", "c1", command=command).verdict is verdict
    assert time.monotonic() - started < 3


def test_a_host_name_is_one_argument():
    said = ask("command", "x; exit 1 'a b", command="echo {host}")
    assert said.detail == "echo ended with 0: x; exit 1 'a b"


# All of them.


def test_no_witnesses_is_an_empty_answer():
    assert witnesses().testify("c1") == ()


def test_witnesses_are_asked_side_by_side():
    with listening() as port:
        all_of_them = witnesses(
            "command", "tcp", tcp_port=port, command="sh -c 'sleep 9' {host}"
        )
        started = time.monotonic()
        said = all_of_them.testify("127.0.0.1")
    assert time.monotonic() - started < 3
    assert [(s.witness, s.verdict) for s in said] == [
        ("command", WitnessVerdict.UNKNOWN),
        ("tcp", WitnessVerdict.ALIVE),
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"enabled": ["pnig"]}, "there is no witness pnig"),
        ({"enabled": ["tcp"], "address": "10.0.0.1"}, "address: {host} is missing"),
        ({"enabled": ["command"]}, "command: {host} is missing"),
        ({"enabled": ["command"], "command": "no-such {host}"}, "no program no-such"),
        ({"enabled": ["command"], "command": "a 'b {host}"}, "command: No closing"),
        ({"enabled": ["prometheus"]}, "prometheus_url is missing"),
        (
            {
                "enabled": ["prometheus"],
                "prometheus_url": "http://p",
                "prometheus_query": "up",
            },
            "prometheus_query: {host} is missing",
        ),
    ],
)
def test_options_that_cannot_be_meant(options, words):
    enabled = options.pop("enabled")
    with pytest.raises(WitnessOptionError) as error:
        witnesses(*enabled, **options)
    assert words in str(error.value)
