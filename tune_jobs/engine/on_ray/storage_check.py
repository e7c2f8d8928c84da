"""A check, before the first trial, that every node of a cluster sees the run's folder."""

from __future__ import annotations

import platform
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trainables.storage.object_store import ObjectStoreFolder, is_uri, reason
from trainables.storage.own_files import is_own_kind
from tune_jobs.base.atomic_files import write_whole
from tune_jobs.base.named_files import beginning, read_file
from tune_jobs.engine.on_ray.errors import in_one_line
from tune_jobs.engine.on_ray.nodes import alive_nodes, node_names
from tune_jobs.errors import RequestError
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Node

_ANSWER_S = 120.0  # long enough for a node to unpack the code and start a worker
_MARKER = ".seen-"
_CONTENT = re.compile(rb"tune-jobs asks whether all nodes see this folder [0-9a-f]{32}\n")


def check_storage(location: str, resources: Resources) -> None:
    """Check that every other node on which trials fit sees a folder of this node, and may write there.

    Args:
        location: The path of the run's folder, or its URI in an object store.
        resources: The resources of a trial.

    Raises:
        RequestError: Some nodes do not; each is named, with its reason.
    """
    import ray

    this_node = ray.get_runtime_context().get_node_id()
    others = [table for table in alive_nodes() if table["NodeID"] != this_node]
    fitting = [table for table in others if Node.from_ray(table["Resources"], "").trials_that_fit(resources)]
    name = f"{_MARKER}{secrets.token_hex(4)}"
    token = f"tune-jobs asks whether all nodes see this folder {secrets.token_hex(16)}\n"
    folder = shared_folder(location)
    folder.mark(name, token)
    try:
        answers = _ask([table["NodeID"] for table in fitting], folder, name, token)
    finally:
        folder.unmark(name)
    if problems := node_problems(answers, node_names(alive_nodes())):
        raise RequestError(*problems, folder.rule)


def node_problems(answers: Mapping[str, str | None], alive: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the nodes that are still alive. A node that has died meanwhile is not blamed.

    Args:
        answers: The answer of each node, by its id; None: nothing is wrong.
        alive: The names of the nodes that are alive now, by their ids.
    """
    return [f"The node {alive[node]} {answer}." for node, answer in answers.items() if answer and node in alive]


class SharedFolder(Protocol):
    """A folder that every node must read and write."""

    @property
    def rule(self) -> str:
        """The rule that a node breaks if it does not see the folder, with the remedy."""

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
        """The rule that a node breaks if it does not see the folder, with the remedy."""
        return (
            f"The run {self.folder} must lie where every node sees it under the same path: name a folder of a file "
            "system that all of them mount with --storage."
        )

    def mark(self, name: str, token: str) -> None:
        """Write a marker, and remove those of drivers that were killed while they asked."""
        for abandoned in self.folder.glob(f"{_MARKER}*"):
            if is_own_kind(abandoned) and _CONTENT.fullmatch(beginning(abandoned, 200)):
                abandoned.unlink(missing_ok=True)
        write_whole(self.folder / name, token.encode(), is_own=True)

    def unmark(self, name: str) -> None:
        """Remove the marker."""
        (self.folder / name).unlink(missing_ok=True)

    def look(self, name: str, token: str) -> str | None:
        """Return what is wrong with the folder of a marker, seen from this node; None: nothing."""
        try:
            if read_file(self.folder / name, 200) != token.encode():
                return f"has another folder {self.folder}"
            own = self.folder / _own_marker(name)
            own.touch(exist_ok=False)
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
        """The rule that a node breaks if it does not see the folder, with the remedy."""
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


def _ask(node_ids: Sequence[str], folder: SharedFolder, name: str, token: str) -> dict[str, str | None]:
    """Return what ``SharedFolder.look`` returns on each node, by the node's id."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

    tasks = {
        ray.remote(_look)
        .options(num_cpus=0, max_retries=1, scheduling_strategy=On(node_id, soft=False))
        .remote(folder, name, token): node_id
        for node_id in node_ids
    }
    ready, silent = ray.wait(list(tasks), num_returns=len(tasks), timeout=_ANSWER_S) if tasks else ([], [])
    answers = {tasks[task]: _answer(task) for task in ready}
    for task in silent:
        with suppress(Exception):
            ray.cancel(task, force=True)
        answers[tasks[task]] = f"gave no answer within {_ANSWER_S:g} s"
    return answers


def _answer(task: Any) -> str | None:
    import ray

    try:
        answer: str | None = ray.get(task)
    except Exception as error:  # noqa: BLE001 - whatever keeps this from working there keeps trials from it
        return f"cannot run trials: {in_one_line(str(error))}"
    return answer
