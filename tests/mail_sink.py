"""A mail server for tests: takes mails on a free port, keeps them, and misbehaves when told to."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import ClassVar


@dataclass
class MailSink:
    """What came, and how the server answers: `refuses` addresses, `data` the answer to a text.

    `data` empty: the connection breaks after the text, and nobody knows.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    data: str = "250 taken"

    @property
    def variable(self) -> str:
        """Return the connection to it in Airflow's form."""
        return (
            f'{{"conn_type": "smtp", "host": "127.0.0.1", "port": {self.port}, "extra":'
            ' {"from_email": "baton@relay.test", "disable_tls": true, "timeout": 5}}'
        )


class _Session(socketserver.StreamRequestHandler):
    sink: ClassVar[MailSink]

    def handle(self) -> None:
        self._say("220 sink")
        to: list[str] = []
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                answer = self.sink.refuses.get(address, "250 ok")
                to += [address] if answer.startswith("250") else []
                self._say(answer)
            elif word == "DATA":
                if not self._took(to):
                    return
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _took(self, to: list[str]) -> bool:
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        if self.sink.data.startswith("250") or not self.sink.data:
            parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            assert isinstance(parsed, EmailMessage)
            self.sink.mails.append(parsed)
            self.sink.envelopes.append(list(to))
        if not self.sink.data:
            return False
        self._say(self.sink.data)
        return True

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_sink() -> Iterator[MailSink]:
    """Serve until the end of the block."""
    sink = MailSink()
    handler = type("Session", (_Session,), {"sink": sink})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        sink.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join(5)
