"""The server of the live page: it answers GET only, on loopback, to those who know the token in the address."""

from __future__ import annotations

import gzip
import hmac
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from trainables.exits import described
from tune_jobs.errors import RequestError
from tune_jobs.report.live.followed_run import FollowedRun
from tune_jobs.report.live.sources import Runs
from tune_jobs.report.logs import run_log
from tune_jobs.report.page.assembly import json_text, packed, page_html, plotly_script
from tune_jobs.results import JournalError
from tune_jobs.views.text import clean

LOOPBACK = "127.0.0.1"
PORT = 8899
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SMALL = 2000


class LiveServer(ThreadingHTTPServer):
    """The server of the live page.

    Args:
        runs: The runs to show.
        host: The address to listen at.
        port: The port; None for the usual one or, if it is taken, any that is free.
        has_token: Whether only those are answered who know a token.

    Attributes:
        runs: The runs to show.
        token: The token in the address; "" if there is none.

    Raises:
        RequestError: The address cannot be used.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, runs: Runs, host: str = LOOPBACK, port: int | None = None, *, has_token: bool = True) -> None:
        self.runs = runs
        self.token = secrets.token_urlsafe(16) if has_token else ""
        self._page: bytes | None = None
        self.host = host
        ports = [PORT, 0] if port is None else [port]
        for candidate in ports:
            try:
                super().__init__((host, candidate), _Handler)
                return
            except (OSError, TypeError, ValueError) as error:  # no host can have such a name
                if candidate == ports[-1]:
                    reason = getattr(error, "strerror", None) or error
                    raise RequestError(
                        f"{host}:{candidate} cannot be listened at ({reason}): choose another --port or --host."
                    ) from error

    @property
    def url(self) -> str:
        """The address of the page."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{self.server_port}/{f'{self.token}/' if self.token else ''}"

    def page(self) -> bytes:
        """Return the page, which is the same for everybody."""
        if self._page is None:
            parts = [("plotly", packed(plotly_script()))]
            self._page = page_html("live_source.js", parts, connects="'self'").encode()
        return self._page

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: somebody closed the page while it was answered."""


class _Handler(BaseHTTPRequestHandler):
    server: LiveServer
    server_version = "tune-jobs"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answer a request."""
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        if not self._is_known_host():
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"This page answers at its own address only.\n")
            return
        if self.server.token:
            if not hmac.compare_digest(parts[0].encode(), self.server.token.encode()):
                self._send(HTTPStatus.FORBIDDEN, "text/plain", b"The token in the address is wrong.\n")
                return
            parts = parts[1:]
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        self._answer([part for part in parts if part], query)

    def _answer(self, parts: list[str], query: dict[str, str]) -> None:
        match parts:
            case []:
                self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page())
            case ["runs"]:
                self._send_json(self._runs)
            case ["run", name]:
                self._send_of(name, lambda run: run.content(query.get("since", "")))
            case ["figure", name]:
                self._send_of(name, lambda run: run.figure(query.get("key", "")))
            case ["trial", name]:
                number = query.get("number", "")
                self._send_of(name, lambda run: run.trial(int(number) if number.isdecimal() else -1))
            case ["log", name]:
                self._send_of(name, lambda run: json_text(run_log(run.snapshot().material.run.folder)))
            case _:
                self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing of that name.\n")

    def _runs(self) -> str:
        rows = [run.overview() for run in self.server.runs.all().values()]
        return json_text({"runs": rows[::-1], "problem": self.server.runs.problem})

    def _send_of(self, name: str, content: Callable[[FollowedRun], str]) -> None:
        run = self.server.runs.all().get(name)
        if run is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is no run of that name.\n")
            return
        self._send_json(lambda: content(run))

    def _send_json(self, content: Callable[[], str]) -> None:
        try:
            text = content()
        except (RequestError, JournalError) as error:
            text = json_text({"problem": clean(error)})
        except Exception as error:  # noqa: BLE001 - one run must not end the page of the others
            text = json_text({"problem": f"This cannot be shown ({clean(described(error)):.300})."})
        self._send(HTTPStatus.OK, "application/json", text.encode())

    def _is_known_host(self) -> bool:
        """Return whether the address is the server's own: a name that a stranger's page has pointed here is not."""
        if self.server.token:
            return True
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        return host in (self.server.host, "localhost", LOOPBACK, "::1")

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        is_packed = len(content) > _SMALL and "gzip" in self.headers.get("Accept-Encoding", "")
        body = gzip.compress(content, 1) if is_packed else content
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if is_packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write nothing: the address holds the token."""
