"""Whether every node of a cluster sees the run's folder: asked before there is a trial."""

from __future__ import annotations

import platform
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trainables.storage.object_store import ObjectStoreFolder, is_uri, reason
from tune_jobs.base.atomic_files import write_whole
from tune_jobs.engine.on_ray.errors import in_one_line
from tune_jobs.engine.on_ray.nodes import alive, names
from tune_jobs.errors import RequestError
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Node

_ANSWER_S = 120.0  # what a node needs to unpack the code and start a worker, with time to spare
_MARKER = ".seen-"


def check_storage(location: str, resources: Resources) -> None:
    """Asks every other node that trials fit on whether it sees a folder of this one, and may write there.

    Raises:
        RequestError: Some do not; each is named, with its reason.
    """
    import ray

    here = ray.get_runtime_context().get_node_id()
    others = [table for table in alive() if table["NodeID"] != here]
    told = [table for table in others if Node.from_ray(table["Resources"], "").trials_that_fit(resources)]
    name, token = f"{_MARKER}{secrets.token_hex(4)}", secrets.token_hex(16)
    folder = shared_folder(location)
    folder.mark(name, token)
    try:
        answers = _ask(told, folder, name, token)
    finally:
        folder.unmark(name)
    if problems := node_problems(answers, names(alive())):
        raise RequestError(*problems, folder.rule)


def node_problems(answers: Mapping[str, str | None], called: Mapping[str, str]) -> list[str]:
    """What is wrong with the nodes that are still there.

    Args:
        answers: What each said when it was asked, by its id; None: nothing is wrong.
        called: The names of the nodes that are there now, by their ids. One that has died meanwhile is not waited for.
    """
    return [f"The node {called[node]} {answer}." for node, answer in answers.items() if answer and node in called]


class SharedFolder(Protocol):
    """A folder that every node must read and write."""

    @property
    def rule(self) -> str:
        """The rule that a node breaks which does not see the folder, with the remedy."""

    def mark(self, name: str, token: str) -> None:
        """Write a marker."""

    def unmark(self, name: str) -> None:
        """Remove the marker."""

    def look(self, name: str, token: str) -> str | None:
        """Return what is wrong with the folder of a marker, seen from this node; None: nothing."""


def shared_folder(location: str) -> SharedFolder:
    """Return the folder at a location: a path, or the URI of a folder in an object store."""
    return SharedBucket(ObjectStoreFolder(location)) if is_uri(location) else SharedDisk(Path(location))


@dataclass(frozen=True)
class SharedDisk:
    """A folder of a file system that all nodes mount."""

    folder: Path

    @property
    def rule(self) -> str:
        """The rule that a node breaks which does not see the folder, with the remedy."""
        return (
            f"The run {self.folder} must lie where every node sees it under the same path: name a folder of a file "
            "system that all of them mount with --storage."
        )

    def mark(self, name: str, token: str) -> None:
        """Write a marker, and remove those of drivers that were killed while they asked."""
        for left in self.folder.glob(f"{_MARKER}*"):
            left.unlink(missing_ok=True)
        write_whole(self.folder / name, token.encode())

    def unmark(self, name: str) -> None:
        """Remove the marker."""
        (self.folder / name).unlink(missing_ok=True)

    def look(self, name: str, token: str) -> str | None:
        """Return what is wrong with the folder of a marker, seen from this node; None: nothing."""
        try:
            if (self.folder / name).read_text() != token:
                return f"has another folder {self.folder}"
            own = self.folder / _own_marker(name)
            own.touch()
            own.unlink()
        except FileNotFoundError:
            return f"does not see the folder {self.folder}"
        except OSError as error:
            return f"cannot use the folder {self.folder} ({error.strerror})"
        return None


@dataclass(frozen=True)
class SharedBucket:
    """A folder of an object store."""

    folder: ObjectStoreFolder

    @property
    def rule(self) -> str:
        """The rule that a node breaks which does not see the folder, with the remedy."""
        return f"Every node must read and write {self.folder}: give each the credentials, and a way to it."

    def mark(self, name: str, token: str) -> None:
        """Write a marker."""
        self.folder.write(name, token.encode())

    def unmark(self, name: str) -> None:
        """Remove the marker."""
        self.folder.remove(name)

    def look(self, name: str, token: str) -> str | None:
        """Return what is wrong with the folder of a marker, seen from this node; None: nothing."""
        try:
            if self.folder.read(name) != token.encode():
                return f"has another folder {self.folder}"
            own = _own_marker(name)
            self.folder.write(own, b"")
            self.folder.remove(own)
        except FileNotFoundError:
            return f"does not see the folder {self.folder}"
        except OSError as error:
            return f"cannot use the folder {self.folder} ({reason(error)})"
        return None


def _own_marker(name: str) -> str:
    return f"{name}-{platform.node()}-{secrets.token_hex(4)}"


def _look(folder: SharedFolder, name: str, token: str) -> str | None:
    return folder.look(name, token)


def _ask(told: list[dict[str, Any]], folder: SharedFolder, name: str, token: str) -> Mapping[str, str | None]:
    """Return what ``look`` says on each node, by the node's id."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

    asked = {
        ray.remote(_look)
        .options(num_cpus=0, max_retries=1, scheduling_strategy=On(table["NodeID"], soft=False))
        .remote(folder, name, token): table["NodeID"]
        for table in told
    }
    ready, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER_S) if asked else ([], [])
    answers = {asked[each]: _answer(each) for each in ready}
    for each in silent:
        with suppress(Exception):
            ray.cancel(each, force=True)
        answers[asked[each]] = f"gave no answer within {_ANSWER_S:g} s"
    return answers


def _answer(ready: Any) -> str | None:
    import ray

    try:
        answer: str | None = ray.get(ready)
    except Exception as error:  # noqa: BLE001 - whatever keeps this from working there keeps trials from it
        return f"cannot run trials: {in_one_line(str(error))}"
    return answer
