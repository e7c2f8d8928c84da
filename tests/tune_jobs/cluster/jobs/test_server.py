"""A Jobs server is found, asked and believed; a real HTTP server gives the answers that Ray's was seen to give."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tune_jobs.cluster.internals import NotInThisRay
from tune_jobs.cluster.jobs.server import find_address, reach
from tune_jobs.cluster.jobs.tokens import Token, find_token
from tune_jobs.errors import RequestError
from tune_jobs.host.capacity import Node

SECRET = "the-secret-token"  # noqa: S105
NODE = {"node_ip": "10.0.0.1", "state": "ALIVE", "resources_total": {"CPU": 2.0}}
ANSWERS = {
    "/api/version": {"version": "4", "ray_version": "2.60.0"},
    "/api/v0/nodes": {"data": {"result": {"result": [NODE, {**NODE, "state": "DEAD"}]}}},
    "/api/v0/cluster_metadata": {"data": {"rayVersion": "2.60.0", "pythonVersion": "3.11.7"}},
    "/api/cluster_status": {"data": {"clusterStatus": {"autoscalerReport": {"nodeTypeMapping": {"ab": "node_ab"}}}}},
}


class Head(ThreadingHTTPServer):
    """The server on the head. It remembers the tokens that it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token: str | None = None
        self.answers: dict[str, Any] = dict(ANSWERS)
        self.sent: list[str | None] = []
        self.status = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Head

    def do_GET(self) -> None:
        sent = self.headers.get("Authorization")
        self.server.sent.append(sent)
        if self.server.token is not None and sent != f"Bearer {self.server.token}":
            self.send_response(403 if sent else 401)
            self.end_headers()
            return
        answer = self.server.answers.get(self.path.partition("?")[0])
        self.send_response(self.server.status if answer is not None else 404)
        self.send_header("Location", "http://elsewhere.invalid/")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def head() -> Iterator[Head]:
    with Head() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE", "RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def refusal(call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(RequestError) as caught:
        call(*arguments)
    return str(caught.value)


def test_an_open_server_gets_no_token(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", SECRET)
    server = reach(head.address)
    cluster = server.cluster()
    assert (server.ray, cluster.python, cluster.is_autoscaled) == ("2.60.0", "3.11.7", False)
    assert cluster.nodes == (Node(2.0, host="10.0.0.1"),)
    assert set(head.sent) == {None}


def test_a_server_that_asks_gets_the_token(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    head.token = SECRET
    monkeypatch.setenv("RAY_AUTH_TOKEN", SECRET)
    server = reach(head.address)
    assert server.cluster().python == "3.11.7"
    assert SECRET not in repr(server)


def test_a_missing_token_is_told_with_its_sources(head: Head) -> None:
    head.token = SECRET
    message = refusal(reach, head.address)
    assert "asks for a token" in message
    for source in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "~/.ray/auth_token"):
        assert source in message


def test_a_wrong_token_is_told_by_its_source_and_not_shown(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    head.token = SECRET
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another-token")
    message = refusal(reach, head.address)
    assert "refuses the token of RAY_AUTH_TOKEN" in message
    assert "another-token" not in message


def test_tokens_are_found_in_rays_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_token() is None
    home = tmp_path / ".ray"
    home.mkdir()
    (home / "auth_token").write_text("of-home\n")
    assert find_token() == Token("of-home", str(home / "auth_token"))
    (tmp_path / "file").write_text("  of-file\n")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "file"))
    token = find_token()
    assert token is not None
    assert token.value == "of-file"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of-variable")
    token = find_token()
    assert token is not None
    assert token.headers == {"Authorization": "Bearer of-variable"}
    assert "of-variable" not in repr(token)


@pytest.mark.parametrize("content", ["", "\n", "two words", "a\nb", "b\x1b[31m"])
def test_content_that_is_no_token_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    (tmp_path / "file").write_text(content)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "file"))
    assert "holds no token" in refusal(find_token)


def test_a_token_file_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/nowhere/token")
    assert "/nowhere/token) cannot be read (No such file or directory)" in refusal(find_token)


def test_an_address_where_nobody_listens_is_told_with_a_remedy() -> None:
    message = refusal(reach, "http://127.0.0.1:1")
    assert "http://127.0.0.1:1 does not answer: nobody listens there" in message
    assert "ray dashboard" in message


def test_another_server_is_no_jobs_server(head: Head) -> None:
    head.answers = {"/api/version": ["hello"]}
    assert "answers, but is no Jobs server of Ray (status 200)" in refusal(reach, head.address)
    head.answers = {}
    assert "(status 404)" in refusal(reach, head.address)


def test_a_redirection_is_not_followed(head: Head) -> None:
    head.status = 302
    assert "(status 302)" in refusal(reach, head.address)


def test_a_dashboard_that_is_unwell_is_told(head: Head) -> None:
    server = reach(head.address)
    head.status = 500
    assert "/api/v0/nodes" in refusal(server.cluster)
    assert "gave status 500" in refusal(server.cluster)


def test_a_path_that_a_ray_does_not_have_is_another_matter(head: Head) -> None:
    server = reach(head.address)
    del head.answers["/api/cluster_status"]
    with pytest.raises(NotInThisRay, match="/api/cluster_status gave status 404"):
        server.cluster()


def test_an_address_is_taken_from_the_option_before_the_environment() -> None:
    environment = {"RAY_API_SERVER_ADDRESS": "http://a:8265", "RAY_ADDRESS": "http://b:8265"}
    assert find_address("https://c/", environment) == "https://c"
    assert find_address(None, environment) == "http://a:8265"
    assert find_address(None, {"RAY_ADDRESS": "http://b:8265"}) == "http://b:8265"
    assert "No cluster is named" in refusal(find_address, None, {})


@pytest.mark.parametrize(
    "address", ["head:8265", "ray://head:10001", "auto", "http://", "http://h:port", "http://[::1"]
)
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    assert f"The value of --address is {address!r}" in refusal(find_address, address, {})
    assert "The value of RAY_ADDRESS is" in refusal(find_address, None, {"RAY_ADDRESS": address})
