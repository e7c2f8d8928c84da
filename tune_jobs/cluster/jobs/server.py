"""The Jobs server of a cluster: its address, its answer, the token that it asks for, and the state of its cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tune_jobs.cluster.internals import NotInThisRay, dashboard
from tune_jobs.cluster.jobs.state import ClusterState
from tune_jobs.cluster.jobs.tokens import TOKEN_SOURCES, Token, find_token
from tune_jobs.errors import RequestError
from tune_jobs.host.capacity import Node

if TYPE_CHECKING:  # they are slow to import, or not installed
    from ray.job_submission import JobSubmissionClient
    from requests import Response

ADDRESS_VARIABLES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
_EXAMPLE = "http://head:8265"
_ANSWER_WITHIN_S = 10.0
_FORBIDDEN = (401, 403)
_NOT_FOUND = 404


@dataclass(frozen=True)
class Server:
    """A Jobs server that has answered and has let this user in.

    Attributes:
        address: Its address, such as ``http://head:8265``.
        token: The token that it asks for; None: it asks for none.
        ray: Its version of Ray.
    """

    address: str
    token: Token | None
    ray: str = field(compare=False)

    @cached_property
    def jobs(self) -> JobSubmissionClient:
        """Ray's own client of it."""
        from ray.job_submission import JobSubmissionClient

        dashboard.silence_loggers()
        with _unset(ADDRESS_VARIABLES):  # Ray would prefer them to the address that it is given
            return JobSubmissionClient(self.address, headers=self.token.headers if self.token else None)

    def cluster(self) -> ClusterState:
        """Return the state of its cluster.

        Raises:
            NotInThisRay: The cluster's Ray does not tell its state in the way that is known here.
            RequestError: It does not tell its state for another reason, or no longer answers.
        """
        nodes = dashboard.nodes_up(self._ask(dashboard.NODES_PATH))
        return ClusterState(
            python=dashboard.python_version(self._ask(dashboard.METADATA_PATH)),
            nodes=tuple(Node.from_ray(resources, address) for address, resources in nodes),
            is_autoscaled=dashboard.is_autoscaled(self._ask(dashboard.STATUS_PATH)),
        )

    def _ask(self, path: str) -> Any:
        answer = _get(self.address, path, self.token)
        if answer.status_code == _NOT_FOUND:
            raise NotInThisRay(f"{path} gave status {answer.status_code}")
        if answer.status_code != 200:
            raise RequestError(
                f"The Jobs server at {self.address} does not tell about its cluster ({path} gave status "
                f"{answer.status_code}). Look at its dashboard, and whether Ray is well there: ray status."
            )
        try:
            return answer.json()
        except ValueError as error:
            raise NotInThisRay(f"{path} gave no JSON") from error


def find_address(given: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the Jobs server: the one that was given, or else the one in the environment.

    Args:
        given: The address that was given; None: none was.
        environment: The environment variables.

    Raises:
        RequestError: There is none, or it is not the address of a Jobs server.
    """
    sources = [("--address", given), *((name, environment.get(name)) for name in ADDRESS_VARIABLES)]
    for source, address in sources:
        if address:
            return _checked_address(source, address)
    raise RequestError(
        f"No cluster is named: add --address {_EXAMPLE}, or set RAY_API_SERVER_ADDRESS to such an address. "
        "The port is that of Ray's dashboard on the head, 8265 unless it was chosen otherwise."
    )


def reach(address: str) -> Server:
    """Return the Jobs server at an address, once it has answered and let this user in.

    The token is sent only to a server that asks for one.

    Args:
        address: The address, checked by ``find_address``.

    Raises:
        RequestError: It does not answer, is no Jobs server, or does not let this user in.
    """
    answer, token = _get(address, "/api/version", None), None
    if answer.status_code in _FORBIDDEN:
        if (token := find_token()) is None:
            raise RequestError(
                f"The cluster at {address} asks for a token, and there is none here. Put it into {TOKEN_SOURCES}."
            )
        answer = _get(address, "/api/version", token)
    if answer.status_code in _FORBIDDEN:
        raise RequestError(
            f"The cluster at {address} refuses the token of {token.source if token else 'nobody'}: it belongs to "
            "another cluster, or is an old one. Ask the person who started the cluster for its token."
        )
    return Server(address, token, _ray_version(answer, address))


def _checked_address(source: str, address: str) -> str:
    try:
        parts = urlsplit(address)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or True)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise RequestError(
            f"The value of {source} is {address!r}, but must be the address of a Jobs server, such as {_EXAMPLE}: "
            "http, the head's name, and the port of Ray's dashboard on it."
        )
    return address.rstrip("/")


def _ray_version(answer: Response, address: str) -> str:
    try:
        version = answer.json()["ray_version"] if answer.status_code == 200 else None
    except (ValueError, KeyError, TypeError):
        version = None
    if not isinstance(version, str):
        raise RequestError(
            f"{address} answers, but is no Jobs server of Ray (status {answer.status_code}). Name the port of the "
            f"head's dashboard: --address {_EXAMPLE}."
        )
    return version


def _get(address: str, path: str, token: Token | None) -> Response:
    try:
        import requests
    except ImportError as error:
        raise RequestError(
            "Submitting needs the extra `cluster`, which is not installed: pip install 'tune-jobs[cluster]'."
        ) from error
    try:
        return requests.get(
            address + path,
            headers=token.headers if token else None,
            timeout=_ANSWER_WITHIN_S,
            allow_redirects=False,  # a token goes nowhere else
        )
    except requests.RequestException as error:
        raise RequestError(f"{address} does not answer: {_reason(error)}. {_REMEDY}") from None


_REMEDY = (
    "Is the cluster up, its dashboard reachable from here (ray start --dashboard-host=0.0.0.0, or a tunnel: "
    "ray dashboard cluster.yaml), and the port right?"
)
_REASONS = {
    "timed out": f"nothing came within {_ANSWER_WITHIN_S:g} s",
    "Connection refused": "nobody listens there",
    "Name or service not known": "there is no machine of that name",
    "Temporary failure in name resolution": "there is no machine of that name",
    "No route to host": "there is no way to it from here",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not one that is trusted here",
}


def _reason(error: Exception) -> str:
    text = str(error)
    return next((reason for part, reason in _REASONS.items() if part in text), type(error).__name__)


@contextmanager
def _unset(variables: tuple[str, ...]) -> Iterator[None]:
    removed = {name: os.environ.pop(name) for name in variables if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(removed)
