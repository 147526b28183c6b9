# SPDX-License-Identifier: Apache-2.0
"""The port: with TLS or without, for a few at a time, and for nobody for long."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from nova_ha_scheduler.health import conf as health_conf
from nova_ha_scheduler.service.monitoring import server as module
from nova_ha_scheduler.service.monitoring.server import WebPlace, WebServer
from tests.lib import certificates, ports


def application(environ: dict[str, Any], start: Any) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


@contextlib.contextmanager
def serving(**said: Any) -> Iterator[WebServer]:
    place = WebPlace(**{"host": "127.0.0.1", "port": ports.free_port(), **said})
    found = WebServer(place, application)
    found.serve()
    try:
        yield found
    finally:
        found.stop()


def get(server: WebServer, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    host, port = server.server_address[:2]
    kind: Any = http.client.HTTPSConnection if context else http.client.HTTPConnection
    more = {"context": context} if context else {}
    connection = kind(host, port, timeout=10, **more)
    connection.request("GET", "/here")
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_plain() -> None:
    with serving() as server:
        assert get(server) == (200, b"/here")


def test_ipv6() -> None:
    with serving(host="::1") as server:
        assert get(server) == (200, b"/here")


def test_tls(tmp_path: Path) -> None:
    cert, key = certificates.made(tmp_path)
    with serving(cert_file=str(cert), key_file=str(key)) as server:
        trusting = ssl.create_default_context(cafile=str(cert))
        assert get(server, trusting) == (200, b"/here")
        with pytest.raises((http.client.HTTPException, OSError)):
            get(server)  # no TLS
        assert get(server, trusting) == (200, b"/here")


def test_who_asks_has_to_show_a_certificate(tmp_path: Path) -> None:
    cert, key = certificates.made(tmp_path)
    theirs, their_key = certificates.made(tmp_path, "theirs")
    files = {"cert_file": str(cert), "key_file": str(key), "ca_file": str(theirs)}
    with serving(**files) as server:
        nobody = ssl.create_default_context(cafile=str(cert))
        with pytest.raises(OSError):
            get(server, nobody)
        known = ssl.create_default_context(cafile=str(cert))
        known.load_cert_chain(theirs, their_key)
        assert get(server, known) == (200, b"/here")


@pytest.mark.parametrize("tls", [False, True])
def test_who_drips_is_ended(
    tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS", 1.0)
    cert, key = certificates.made(tmp_path)
    files = {"cert_file": str(cert), "key_file": str(key)} if tls else {}
    with serving(**files) as server:
        address = server.server_address[:2]
        with socket.create_connection(address, timeout=10) as dripping:
            begun = time.monotonic()
            with contextlib.suppress(OSError):
                while time.monotonic() < begun + 10:
                    dripping.sendall(b"\x16" if tls else b"G")
                    time.sleep(0.2)
            assert time.monotonic() - begun < 5
        end = time.monotonic() + 5
        while server._open:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_many_who_say_nothing_keep_others_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_SECONDS", 2.0)
    with serving() as server:
        address, before = server.server_address[:2], threading.active_count()
        held = [socket.create_connection(address) for _ in range(3 * module._MOST)]
        time.sleep(0.5)
        assert threading.active_count() - before < 2 * module._MOST
        end = time.monotonic() + 15
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                assert get(server) == (200, b"/here")
                break
            assert time.monotonic() < end
            time.sleep(0.1)
        for one in held:
            one.close()


def test_a_resolver_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hang, and the trigger would not start."""

    def hangs(*_: object) -> str:
        raise AssertionError("it was asked")

    for name in ("getfqdn", "gethostbyaddr", "getnameinfo"):
        monkeypatch.setattr(socket, name, hangs)
    with serving() as server:
        assert get(server)[0] == 200


def place_of(tmp_path: Path, text: str) -> WebPlace | None:
    file = tmp_path / "nova-ha.conf"
    file.write_text(f"[health]\n{text}\n")
    conf = cfg.ConfigOpts()
    health_conf.register_opts(conf)
    conf([f"--config-file={file}"], project="nova-ha-test")
    return WebPlace.of(conf)


def test_by_default_there_is_no_port(tmp_path: Path) -> None:
    assert place_of(tmp_path, "") is None


def test_loopback_unless_told_otherwise(tmp_path: Path) -> None:
    found = place_of(tmp_path, "port = 9791")
    assert found is not None
    assert str(found) == "http://127.0.0.1:9791/"
    found = place_of(tmp_path, "port = 9791\nbind_host = ::")
    assert str(found) == "http://[::]:9791/"


WRONG = [
    ("cert_file = {}/none.crt", "[health] cert_file: {}/none.crt: No such file"),
    ("cert_file = {}/ours.crt", "[health] cert_file {}/ours.crt: no certificate with"),
    (
        "cert_file = {}/ours.crt\nkey_file = {}/theirs.key",
        "[health] cert_file {}/ours.crt with key_file {}/theirs.key: no certificate "
        "with its key, without a password: key values mismatch",
    ),
    (
        "cert_file = {}/ours.crt\nkey_file = {}/locked.key",
        "with key_file {}/locked.key: no certificate with its key, without a password",
    ),
    (
        "cert_file = {}/ours.crt\nkey_file = {}/ours.key\nca_file = {}/ours.key",
        "[health] ca_file {}/ours.key: no certificates",
    ),
    ("key_file = {}/ours.key", "[health] key_file without [health] cert_file"),
    ("ca_file = {}/ours.crt", "[health] ca_file without [health] cert_file"),
]


@pytest.mark.parametrize(("said", "words"), WRONG)
def test_what_cannot_be_meant_names_the_option(
    tmp_path: Path, said: str, words: str
) -> None:
    certificates.made(tmp_path)
    certificates.made(tmp_path, "theirs")
    lock(tmp_path)
    with pytest.raises(cfg.Error) as caught:
        place_of(tmp_path, f"port = 9791\n{said.replace('{}', str(tmp_path))}")
    assert words.replace("{}", str(tmp_path)) in str(caught.value)


def lock(folder: Path) -> None:
    """The key of "ours", with a password that nobody is there to type."""
    from cryptography.hazmat.primitives import serialization as kinds

    key = kinds.load_pem_private_key((folder / "ours.key").read_bytes(), None)
    encryption = kinds.BestAvailableEncryption(b"secret")
    formats = kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8
    (folder / "locked.key").write_bytes(key.private_bytes(*formats, encryption))
