"""The Jobs server of a cluster: whether it answers, whom it lets in, and what it tells about the cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tune_jobs.cluster.jobs.tokens import PLACES, Token, find_token
from tune_jobs.errors import RequestError
from tune_jobs.host.capacity import Node

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient
    from requests import Response

ADDRESS_VARIABLES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
_EXAMPLE = "http://head:8265"
_ANSWER_WITHIN_S = 10.0
_MOST_NODES = 10_000
_FORBIDDEN = (401, 403)
# What these say of uploads and connections, the preflight and the views say.
_TALKATIVE = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
    "ray._private.runtime_env.working_dir",
)


@dataclass(frozen=True)
class ClusterState:
    """The state of a cluster, as far as a preflight needs it.

    Attributes:
        ray: Its version of Ray.
        python: Its version of Python.
        nodes: The nodes that are up.
        is_autoscaled: Whether Ray may start other nodes, whose kinds it does not tell here.
    """

    ray: str
    python: str
    nodes: tuple[Node, ...]
    is_autoscaled: bool


@dataclass(frozen=True)
class Server:
    """A Jobs server that answers and has let this user in.

    Attributes:
        address: Where it is, as ``http://head:8265``.
        token: What it wants to see; None: nothing.
        ray: Its version of Ray.
    """

    address: str
    token: Token | None
    ray: str = field(compare=False)

    @cached_property
    def jobs(self) -> JobSubmissionClient:
        """Ray's own client of it."""
        from ray.job_submission import JobSubmissionClient

        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.ERROR)
        with _unset(ADDRESS_VARIABLES):  # which for Ray would count more than the address that was asked for
            return JobSubmissionClient(self.address, headers=self.token.headers if self.token else None)

    def cluster(self) -> ClusterState:
        """Return the state of its cluster."""
        listed = self._ask(f"/api/v0/nodes?detail=true&limit={_MOST_NODES}")["result"]["result"]
        alive = [node for node in listed if node["state"] == "ALIVE"]
        return ClusterState(
            ray=self.ray,
            python=self._ask("/api/v0/cluster_metadata")["pythonVersion"],
            nodes=tuple(Node.from_ray(node["resources_total"], node["node_ip"]) for node in alive),
            is_autoscaled=is_autoscaled(self._ask("/api/cluster_status")),
        )

    def _ask(self, path: str) -> Any:
        answer = _get(self.address, path, self.token)
        if answer.status_code != 200:
            raise RequestError(
                f"The Jobs server at {self.address} does not tell about its cluster ({path} gave status "
                f"{answer.status_code}). Look at its dashboard, and whether Ray is well there: ray status."
            )
        return answer.json()["data"]


def find_address(given: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The address that was given, or else the one in the environment.

    Raises:
        RequestError: There is none, or it is not that of a Jobs server.
    """
    sources = [("--address", given), *((name, environment.get(name)) for name in ADDRESS_VARIABLES)]
    for source, address in sources:
        if address:
            return _checked_address(source, address)
    raise RequestError(
        f"No cluster is named: say --address {_EXAMPLE}, or set RAY_API_SERVER_ADDRESS to that. "
        "The port is that of Ray's dashboard on the head, 8265 unless it was chosen otherwise."
    )


def reach(address: str) -> Server:
    """The Jobs server at an address, once it has answered and let this user in.

    The token is sent only to a server that asks for one.

    Raises:
        RequestError: It does not answer, is no Jobs server, or does not let this user in.
    """
    answer, token = _get(address, "/api/version", None), None
    if answer.status_code in _FORBIDDEN:
        if (token := find_token()) is None:
            raise RequestError(f"The cluster at {address} wants a token, and there is none here. Put it into {PLACES}.")
        answer = _get(address, "/api/version", token)
    if answer.status_code in _FORBIDDEN:
        raise RequestError(
            f"The cluster at {address} refuses the token of {token.source if token else 'nobody'}: it is another "
            "cluster's, or an old one. Ask whoever started the cluster for its own."
        )
    return Server(address, token, _ray_version(answer, address))


def is_autoscaled(status: Mapping[str, Any]) -> bool:
    """Whether Ray may start nodes, by what ``/api/cluster_status`` tells.

    Where it cannot, its autoscaler makes a kind of its own of every node, ``node_`` and the node's id.
    """
    report = (status.get("clusterStatus") or {}).get("autoscalerReport") or {}
    kinds = report.get("nodeTypeMapping") or {}
    return any(kind != f"node_{node}" for node, kind in kinds.items())


def _checked_address(source: str, address: str) -> str:
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or True)
    except ValueError:
        sound = False
    if not sound:
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
            f"What answers at {address} is no Jobs server of Ray (status {answer.status_code}). Name the port of the "
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
    return next((told for known, told in _REASONS.items() if known in text), type(error).__name__)


@contextmanager
def _unset(variables: tuple[str, ...]) -> Iterator[None]:
    held = {name: os.environ.pop(name) for name in variables if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(held)
