"""Mail over SMTP: one message to one or more addresses, with a Message-ID that stays the same.

A mail cannot be looked up afterwards as a Slack message can. So it is never sent again after an
attempt of which nobody knows how it ended; the Message-ID lets the receiving side, and a person,
see that two are one.
"""

from __future__ import annotations

import email.policy
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Self

from baton.connections import RawConnection
from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ContractError,
    RejectedRecordError,
    SettingsError,
    UnavailableError,
)

SMTP = "smtp_default"
"""The id of the connection, as Airflow's own SMTP provider names it."""
_EXTRAS = frozenset(
    {"from_email", "disable_ssl", "disable_tls", "timeout", "retry_limit", "ssl_context"}
)
_SSL_PORT, _START_TLS_PORT = 465, 587


@dataclass(frozen=True, slots=True)
class MailConnection:
    """How to reach a mail server. `sender` is the address that mails come from.

    `tls`: from the first byte on ("ssl"), by STARTTLS ("starttls"), or not at all (""), which is
    accepted only on the way to this machine or to a name without a dot.
    """

    conn_id: str
    host: str
    port: int
    sender: str
    tls: str
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_seconds: float = 20

    @classmethod
    def from_raw(cls, raw: RawConnection) -> Self:
        """Read an Airflow connection of type ``smtp``; raises SettingsError with the field."""
        extras = raw.extras(_EXTRAS)
        host, sender = raw.host or "", extras.get("from_email") or raw.login or ""
        if not host:
            raise SettingsError(f"connection '{raw.conn_id}' has no host: name the mail server")
        if "@" not in sender:
            raise SettingsError(
                f"connection '{raw.conn_id}' has no sender: set the extra field 'from_email'"
            )
        tls = _tls(raw.port, extras)
        if not tls and not (host in ("127.0.0.1", "::1") or "." not in host):
            raise SettingsError(
                f"connection '{raw.conn_id}' switches encryption off (disable_ssl, disable_tls); "
                "that is possible only towards this machine"
            )
        port = raw.port or (_SSL_PORT if tls == "ssl" else _START_TLS_PORT)
        return cls(
            raw.conn_id,
            host,
            port,
            sender,
            tls,
            raw.login,
            raw.password,
            _seconds(raw.conn_id, extras.get("timeout", "20")),
        )


def _tls(port: int | None, extras: dict[str, str]) -> str:
    def off(name: str) -> bool:
        return extras.get(name, "").lower() in ("true", "1", "yes")

    if not off("disable_ssl") and port in (None, _SSL_PORT):
        return "ssl"
    return "" if off("disable_tls") else "starttls"


def _seconds(conn_id: str, text: str) -> float:
    try:
        return max(1.0, float(text))
    except ValueError:
        raise SettingsError(
            f"connection '{conn_id}' has a 'timeout' that is not a number of seconds"
        ) from None


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in plain text. `key` names it: the same key, the same Message-ID."""

    to: Sequence[str]
    subject: str
    text: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Mailed:
    """What the server took. `refused`: how many of the addresses it did not."""

    message_id: str
    refused: int


class MailGateway:
    """Sends mails. Nothing is called before `send`; no address is ever named in an error."""

    def __init__(self, connection: MailConnection) -> None:
        """Keep the connection; no call is made."""
        self.connection = connection

    def message_id(self, key: str) -> str:
        """Return the Message-ID that a mail with this key has."""
        return f"<{key}@{self.connection.sender.rpartition('@')[2]}>"

    def send(self, mail: Mail) -> Mailed:
        """Send a mail, once.

        Raises:
            UnavailableError: the server cannot be reached, or takes nothing now; nothing was sent.
            AuthenticationError: it does not take login and password.
            RejectedRecordError: it takes none of the addresses, or not the message.
            AmbiguousOutcomeError: it may have been sent: the connection broke after the text.
        """
        with self._server() as server:
            refused = self._envelope(server, mail.to)
            self._hand_over(server, self._message(mail))
        return Mailed(self.message_id(mail.key), refused)

    def _message(self, mail: Mail) -> bytes:
        message = EmailMessage()
        message["From"], message["To"] = self.connection.sender, ", ".join(mail.to)
        message["Subject"], message["Date"] = mail.subject, format_datetime(mail.at)
        message["Message-ID"] = self.message_id(mail.key)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message.as_bytes(policy=email.policy.SMTP)

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        to, conn_id = self.connection, self.connection.conn_id
        secure = ssl.create_default_context()
        try:
            server: smtplib.SMTP = (
                smtplib.SMTP_SSL(to.host, to.port, timeout=to.timeout_seconds, context=secure)
                if to.tls == "ssl"
                else smtplib.SMTP(to.host, to.port, timeout=to.timeout_seconds)
            )
        except (OSError, smtplib.SMTPException) as error:
            raise _away(conn_id, error) from None
        try:
            self._greet(server, secure)
            yield server
        finally:
            _leave(server)

    def _greet(self, server: smtplib.SMTP, secure: ssl.SSLContext) -> None:
        to = self.connection
        try:
            if to.tls == "starttls":
                server.starttls(context=secure)
            if to.login and to.password:
                server.login(to.login, to.password)
        except smtplib.SMTPAuthenticationError as error:
            raise AuthenticationError(
                to.conn_id, f"the mail server refuses login and password ({error.smtp_code})"
            ) from None
        except smtplib.SMTPNotSupportedError as error:
            raise ContractError(to.conn_id, f"the mail server cannot do it: {error}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise _away(to.conn_id, error) from None

    def _envelope(self, server: smtplib.SMTP, to: Sequence[str]) -> int:
        """Name sender and addresses; return how many of these are refused."""
        conn_id = self.connection.conn_id
        try:
            server.ehlo_or_helo_if_needed()
            code, _ = server.mail(self.connection.sender)
            if code != 250:
                raise RejectedRecordError(
                    str(code), f"{conn_id}: the mail server refuses the sender: see 'from_email'"
                )
            codes = [server.rcpt(address)[0] for address in to]
        except (OSError, smtplib.SMTPException) as error:
            raise _away(conn_id, error) from None
        refused = [code for code in codes if code not in (250, 251)]
        if len(refused) < len(codes):
            return len(refused)
        if all(400 <= code < 500 for code in refused):
            raise UnavailableError(conn_id, f"the mail server takes nothing now ({refused[0]})")
        raise RejectedRecordError(
            str(refused[0]), f"{conn_id}: the mail server refuses every address of the digest"
        )

    def _hand_over(self, server: smtplib.SMTP, message: bytes) -> None:
        conn_id = self.connection.conn_id
        try:
            code, _ = server.data(message)
        except smtplib.SMTPDataError as error:  # refused before the text
            raise UnavailableError(
                conn_id, f"the mail server takes no text now ({error.smtp_code})"
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            raise AmbiguousOutcomeError(
                conn_id, f"the connection broke while the mail was sent ({type(error).__name__})"
            ) from None
        if 400 <= code < 500:
            raise UnavailableError(conn_id, f"the mail server takes nothing now ({code})")
        if code != 250:
            raise RejectedRecordError(str(code), f"{conn_id}: the mail server refuses the message")


def _away(conn_id: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        conn_id, f"the mail server cannot be reached ({type(error).__name__}); nothing was sent"
    )


def _leave(server: smtplib.SMTP) -> None:
    """Say good-bye; what was taken is taken, whether or not the server still answers."""
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()
