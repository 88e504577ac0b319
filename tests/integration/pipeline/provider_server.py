"""A provider of company data on loopback, as good or as bad as a test wants it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes]


@dataclass
class ProviderServer:
    """Answers every request by `answer(domains)`; keeps what it was asked."""

    answer: Callable[[Sequence[str]], Answer]
    asked: list[list[str]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __enter__(self) -> ProviderServer:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                domains = json.loads(body)["domains"]
                provider.asked.append(domains)
                provider.keys.append(self.headers.get("Authorization"))
                provider.paths.append(self.path)
                status, content = provider.answer(domains)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    return

            def log_message(self, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"


def knows(companies: Mapping[str, Mapping[str, Any]]) -> Callable[[Sequence[str]], Answer]:
    """A provider that knows these companies."""

    def answer(domains: Sequence[str]) -> Answer:
        found = {domain: companies[domain] for domain in domains if domain in companies}
        return 200, json.dumps({"companies": found}).encode()

    return answer


def says(status: int, content: bytes = b"") -> Callable[[Sequence[str]], Answer]:
    """A provider that always says the same."""
    return lambda domains: (status, content)
