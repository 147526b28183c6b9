# SPDX-License-Identifier: Apache-2.0
"""The type ``smtp``: a mail."""

import contextlib
import email.utils
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from oslo_config import cfg

from nova_ha_scheduler import exchange
from nova_ha_scheduler.fencing.secrets import Secret, scrub
from nova_ha_scheduler.printable import one_line
from nova_ha_scheduler.receivers import Receiver, ReceiverError, secret_files
from nova_ha_scheduler.receivers.message import Message

_PORTS = {"tls": 465, "starttls": 587, "none": 25}

_SHOWN = 200
"""Characters of an answer."""


class _InTime:
    """smtplib's, whose answers have one deadline together: its time-out is one of each
    read alone, and a server that drips would be waited for without end."""

    file: Any
    sock: Any

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = exchange.until_timeout(self.sock)
        found: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        return found


class _Plain(_InTime, smtplib.SMTP):
    pass


class _Wrapped(_InTime, smtplib.SMTP_SSL):
    pass


class Smtp(Receiver):
    """A message is taken where the server has taken it for one recipient at least."""

    REQUIRED = ("host", "sender", "recipients")

    def __init__(self, name: str, options: cfg.ConfigOpts.GroupAttr) -> None:
        super().__init__(name, options)
        if bool(options.username) != bool(options.password_file):
            raise self.wrong("username", "and password_file go together")
        for option, found in (
            ("sender", [options.sender]),
            ("recipients", options.recipients),
        ):
            for address in found:
                if "@" not in address or not address.isprintable() or " " in address:
                    raise self.wrong(option, f": {address} is no address")
        self.port: int = options.port or _PORTS[options.security]

    @property
    def place(self) -> str:
        to = ", ".join(self.options.recipients)
        return f"{to} by {self.options.host}:{self.port}"

    def secret_files(self) -> Iterator[str]:
        yield from filter(None, [self.options.password_file])

    def send(self, message: Message) -> str:
        with self._server() as server:
            mail = self._mail(message)
            refused = server.send_message(
                mail, self.options.sender, self.options.recipients
            )
        if refused:
            return f"it refuses {_of_recipients(refused)}"
        return ""

    def probe(self) -> None:
        """All but the mail itself."""
        refused = {}
        with self._server() as server:
            server.ehlo_or_helo_if_needed()
            code, said = server.mail(self.options.sender)
            if code >= 400:
                raise smtplib.SMTPSenderRefused(code, said, self.options.sender)
            for recipient in self.options.recipients:
                code, said = server.rcpt(recipient)
                if code >= 400:
                    refused[recipient] = code, said
            server.rset()
        if refused:
            raise ReceiverError(f"it refuses {_of_recipients(refused)}")

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = message.subject
        mail["From"] = self.options.sender
        mail["To"] = ", ".join(self.options.recipients)
        mail["Date"] = email.utils.formatdate(message.at)
        domain = self.options.sender.rpartition("@")[2]
        # The same for the same events: who gets a mail twice can tell.
        mail["Message-ID"] = f"<nova-ha.{message.id}.{message.at:.0f}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Nova-HA-Id"] = message.id
        mail["X-Nova-HA-Kind"] = message.kind
        mail["X-Nova-HA-Severity"] = message.severity
        mail.set_content(message.text)
        return mail

    @contextlib.contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        """A conversation, which ends in time, up to where a mail begins."""
        options, password = self.options, None
        if options.password_file:
            password = secret_files.secret("password_file", options.password_file)
        secrets = [password] if password else []
        try:
            server = self._connected()
            try:
                self._log_in(server, password)
                yield server
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    server.quit()  # what was taken, is taken
            finally:
                server.close()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            why = scrub(self._why(error), secrets)
            raise ReceiverError(why) from None

    def _connected(self) -> smtplib.SMTP:
        options = self.options
        where = options.host, self.port
        if options.security == "tls":
            return _Wrapped(*where, timeout=options.timeout, context=self._context())
        server = _Plain(*where, timeout=options.timeout)
        if options.security == "starttls":
            try:
                server.starttls(context=self._context())
            except BaseException:
                server.close()
                raise
        return server

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.options.ca_file)
        except OSError as error:
            words = f"ca_file: {self.options.ca_file}: {error.strerror or error}"
            raise ReceiverError(words) from None

    def _log_in(self, server: smtplib.SMTP, password: Secret | None) -> None:
        if password is not None:
            server.login(self.options.username, password.reveal())

    def _why(self, error: Exception) -> str:
        match error:
            case smtplib.SMTPRecipientsRefused(recipients=refused):
                return f"it refuses {_of_recipients(refused)}"
            case smtplib.SMTPSenderRefused(sender=sender):
                return f"it refuses the sender {sender}: {_said(error)}"
            case smtplib.SMTPAuthenticationError():
                return f"it refuses the login: {_said(error)}"
            case smtplib.SMTPResponseException():
                return f"it answers {_said(error)}"
            case ssl.SSLError():
                return f"there is no TLS with it: {one_line(error.reason or error)}"
        inner = error.__context__ if isinstance(error.__context__, OSError) else error
        if isinstance(inner, TimeoutError):
            return f"it does not take it within {self.options.timeout:g} s"
        if isinstance(inner, OSError) and inner.strerror:
            return f"it cannot be reached: {one_line(inner.strerror)}"
        return one_line(error, _SHOWN)


def _said(error: smtplib.SMTPResponseException) -> str:
    return _answer(error.smtp_code, error.smtp_error)


def _answer(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {one_line(text, _SHOWN)}"


def _of_recipients(refused: "dict[str, tuple[int, bytes]]") -> str:
    return "; ".join(f"{who}: {_answer(*why)}" for who, why in refused.items())
