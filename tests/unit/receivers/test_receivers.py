# SPDX-License-Identifier: Apache-2.0
"""Receivers as nova-ha.conf names them, and what keeps a message from them."""

import datetime
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from oslo_config import cfg

from nova_ha_scheduler import receivers
from nova_ha_scheduler.receivers import Receiver, ReceiverError, chosen_events, message
from nova_ha_scheduler.records.events import TROUBLES, EventKind
from nova_ha_scheduler.service import startup
from tests.lib import ports
from tests.lib.people import Hook, Mails

HOOK = "type = webhook\nurl = http://127.0.0.1:9/\n"
MAIL = "type = smtp\nhost = localhost\nsender = a@b\nrecipients = c@d, e@f\n"
SENT = message.of_nothing(1_700_000_000.0, "north")

Make = Callable[[str], Receiver]


def _named(folder: Path, section: str, names: str = "x") -> dict[str, Receiver]:
    file = folder / "nova-ha.conf"
    said = f"[receiver_x]\n{section}" if section else ""
    file.write_text(f"[messages]\nreceivers = {names}\n{said}")
    return receivers.named(
        startup.load("test", [f"--config-file={file}"], for_logging=False)
    )


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda section: _named(tmp_path, section)["x"]


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()
    yield found
    found.stop()


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ("", "[receiver_x] type is missing: it is one of webhook, smtp"),
        ("type = pager\n", "[receiver_x] type"),
        ("type = webhook\n", "[receiver_x] url or url_file has to be set"),
        (f"{HOOK}url_file = /x\n", "[receiver_x] url or url_file has to be set"),
        ("type = webhook\nurl = http://u:p@h/\n", "url has a user in it: use url_file"),
        (f"{HOOK}kinds = host.fencd\n", "no kind of event host.fencd (did you mean"),
        (f"{HOOK}kinds = host*\n", "no kind of event host*"),
        (f"{HOOK}recipients = a@b\n", "[receiver_x] has no option recipients"),
        (f"{HOOK}per_minute = 0\n", "[receiver_x] per_minute"),
        (MAIL.replace("host = localhost\n", ""), "[receiver_x] host is missing"),
        (MAIL.replace("c@d", "c"), "[receiver_x] recipients: c is no address"),
        (f"{MAIL}username = u\n", "username and password_file go together"),
        (f"{MAIL}security = perhaps\n", "[receiver_x] security"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, section: str, why: str) -> None:
    with pytest.raises(cfg.Error) as caught:
        _named(tmp_path, section)
    assert why in str(caught.value)


def test_names_are_names(tmp_path: Path) -> None:
    with pytest.raises(cfg.Error) as caught:
        _named(tmp_path, "", "On Call")
    assert "[messages] receivers" in str(caught.value)


def test_kinds() -> None:
    assert chosen_events.wanted(["troubles", "all"]) == set(EventKind)
    assert chosen_events.wanted(["pause.*"]) == {
        EventKind.PAUSED,
        EventKind.RESUMED,
        EventKind.PAUSE_EXPIRED,
    }
    assert chosen_events.wanted(chosen_events.DEFAULT) > {
        *TROUBLES,
        EventKind.HOST_FENCED,
    }


def test_a_webhook_takes_it(make: Make, hook: Hook) -> None:
    each = make(f"type = webhook\nurl = {hook.url}/x\n")
    each.probe()
    assert hook.took == []
    assert each.send(SENT) == ""
    (body,) = hook.bodies
    assert (body["kind"], body["cloud"], body["ids"]) == ("test", "north", [])


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("500 Broken", []),
        ("404 Nothing", []),
        ("302 Elsewhere", [("Location", "http://127.0.0.1:9/")]),
        ("307 Elsewhere", [("Location", "/other")]),
    ],
)
def test_a_webhook_that_refuses(
    make: Make, hook: Hook, status: str, headers: list[tuple[str, str]]
) -> None:
    hook.status, hook.headers = status, headers
    with pytest.raises(ReceiverError):
        make(f"type = webhook\nurl = {hook.url}/x\n").send(SENT)
    assert len(hook.asked) == 1, "no redirect is followed"


@pytest.mark.parametrize(
    ("option", "text", "why"),
    [
        ("url_file", None, "cannot be read: No such file or directory"),
        ("url_file", "ftp://secret-place/", "does not hold an address that begins"),
        ("url_file", "http://secret\nhttp://b", "has 2 lines, and should have one"),
        ("headers_file", "secret", "line 1 is no header: NAME: VALUE"),
        ("headers_file", "A: secret\udcff", "it is no UTF-8"),
        ("template_file", "{", "it is no JSON"),
        ("template_file", '"$secret"', "there is no $secret"),
    ],
)
def test_files_of_a_webhook(
    make: Make, tmp_path: Path, hook: Hook, option: str, text: str | None, why: str
) -> None:
    file = tmp_path / "file"
    if text is not None:
        file.write_bytes(text.encode(errors="surrogateescape"))
    url = "" if option == "url_file" else f"url = {hook.url}\n"
    with pytest.raises(ReceiverError) as caught:
        make(f"type = webhook\n{url}{option} = {file}\n").send(SENT)
    assert why in str(caught.value)
    assert "secret" not in str(caught.value).replace("$secret", "")
    assert hook.took == []


def test_a_webhook_in_its_words(make: Make, tmp_path: Path, hook: Hook) -> None:
    file = tmp_path / "template"
    file.write_text('{"routing": 5, "summary": "$subject"}')
    section = f"type = webhook\nurl = {hook.url}\ntemplate_file = {file}\n"
    make(section).send(SENT)
    assert hook.bodies == [{"routing": 5, "summary": SENT.subject}]


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of localhost, and a server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "ca.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = tmp_path / "key.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, private)
    return file, context


def test_a_mail_with_login(
    make: Make, tmp_path: Path, tls: tuple[Path, ssl.SSLContext]
) -> None:
    ca, context = tls
    password = tmp_path / "password"
    password.write_text("hunter2-hunter2\n")
    more: dict[str, Any] = {"tls_context": context, "require_starttls": True}
    mails = Mails(password="hunter2-hunter2", **more)
    section = (
        f"{MAIL}port = {mails.port}\nusername = nova-ha\npassword_file = {password}\n"
    )
    try:
        each = make(f"{section}ca_file = {ca}\n")
        each.probe()
        assert mails.mails == []
        assert each.send(SENT) == ""
        (mail,) = mails.mails
        assert mail["Subject"] == "[nova-ha north] this is a test: nothing has happened"
        assert mail["Message-ID"] == "<nova-ha.test-1700000000.1700000000@b>"
        with pytest.raises(ReceiverError, match="there is no TLS with it"):
            make(section).send(SENT)  # who is not known gets no password
        password.write_text("wrong-wrong-wrong")
        with pytest.raises(ReceiverError, match="it refuses the login: 535") as caught:
            each.send(SENT)
        assert "wrong" not in str(caught.value)
        password.unlink()
        with pytest.raises(ReceiverError, match="password_file: .* cannot be read"):
            each.probe()
    finally:
        mails.stop()


def test_a_mail_that_is_refused(make: Make) -> None:
    mails = Mails()
    each = make(f"{MAIL}port = {mails.port}\nsecurity = none\n")
    try:
        mails.refuses = {"c@d"}
        assert each.send(SENT) == "it refuses c@d: 550 5.1.1 nobody of that name"
        assert len(mails.took) == 1, "the other one has it, and gets it once"
        with pytest.raises(ReceiverError, match="it refuses c@d"):
            each.probe()
        mails.refuses |= {"e@f"}
        with pytest.raises(ReceiverError, match="it refuses c@d: 550.*; e@f: 550"):
            each.send(SENT)
        no_tls = make(f"{MAIL}port = {mails.port}\n")
        with pytest.raises(ReceiverError, match="STARTTLS"):
            no_tls.send(SENT)
    finally:
        mails.stop()


def test_nobody_is_there(make: Make) -> None:
    port = ports.free_port()
    for section in (
        f"type = webhook\nurl = http://127.0.0.1:{port}/\n",
        f"{MAIL}port = {port}\n",
    ):
        with pytest.raises(ReceiverError, match="^it cannot be reached: Connection re"):
            make(section).probe()
