"""Whether every node of a cluster sees the run's folder: asked before there is a trial."""

from __future__ import annotations

import platform
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainables.storage.object_store import ObjectStoreFolder, reason
from tune_jobs.base.atomic_files import write_whole
from tune_jobs.engine.on_ray.errors import in_one_line
from tune_jobs.engine.on_ray.nodes import alive, names
from tune_jobs.errors import RequestError
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Node

_ANSWER_S = 120.0  # what a node needs to unpack the code and start a worker, with time to spare
_MARKER = ".seen-"


def check_storage(folder: Path | ObjectStoreFolder, resources: Resources) -> None:
    """Asks every other node that trials fit on whether it sees a folder of this one, and may write there.

    Raises:
        RequestError: Some do not; each is named, with its reason.
    """
    import ray

    here = ray.get_runtime_context().get_node_id()
    others = [table for table in alive() if table["NodeID"] != here]
    told = [table for table in others if Node.from_ray(table["Resources"], "").trials_that_fit(resources)]
    name, token = f"{_MARKER}{secrets.token_hex(4)}", secrets.token_hex(16)
    if isinstance(folder, ObjectStoreFolder):
        folder.write(name, token.encode())
    else:
        for left in folder.glob(f"{_MARKER}*"):  # by a driver that was killed while it asked
            left.unlink(missing_ok=True)
        write_whole(folder / name, token.encode())
    try:
        answers = _ask(told, folder / name, token)
    finally:
        folder.remove(name) if isinstance(folder, ObjectStoreFolder) else (folder / name).unlink(missing_ok=True)
    if problems := node_problems(answers, names(alive())):
        raise RequestError(*problems, _rule(folder))


def node_problems(answers: Mapping[str, str | None], called: Mapping[str, str]) -> list[str]:
    """What is wrong with the nodes that are still there.

    Args:
        answers: What each said when it was asked, by its id; None: nothing is wrong.
        called: The names of the nodes that are there now, by their ids. One that has died meanwhile is not waited for.
    """
    return [f"The node {called[node]} {answer}." for node, answer in answers.items() if answer and node in called]


def _rule(folder: Path | ObjectStoreFolder) -> str:
    if isinstance(folder, ObjectStoreFolder):
        return f"Every node must read and write {folder}: give each the credentials, and a way to it."
    return (
        f"The run {folder} must lie where every node sees it under the same path: name a folder of a file system that "
        "all of them mount with --storage."
    )


def look(marker: Path | ObjectStoreFolder, token: str) -> str | None:
    """What is wrong with the folder of a marker, seen from here."""
    if isinstance(marker, ObjectStoreFolder):
        return _look_at(marker, token)
    try:
        if marker.read_text() != token:
            return f"has another folder {marker.parent}"
        mine = marker.with_name(f"{marker.name}-{platform.node()}-{secrets.token_hex(4)}")
        mine.touch()
        mine.unlink()
    except FileNotFoundError:
        return f"does not see the folder {marker.parent}"
    except OSError as error:
        return f"cannot use the folder {marker.parent} ({error.strerror})"
    return None


def _look_at(marker: ObjectStoreFolder, token: str) -> str | None:
    folder = marker.parent
    try:
        if folder.read(marker.name) != token.encode():
            return f"has another folder {folder}"
        mine = f"{marker.name}-{platform.node()}-{secrets.token_hex(4)}"
        folder.write(mine, b"")
        folder.remove(mine)
    except FileNotFoundError:
        return f"does not see the folder {folder}"
    except OSError as error:
        return f"cannot use the folder {folder} ({reason(error)})"
    return None


def _ask(told: list[dict[str, Any]], marker: Path | ObjectStoreFolder, token: str) -> Mapping[str, str | None]:
    """What ``look`` says on each node, by the node's id."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

    asked = {
        ray.remote(look)
        .options(num_cpus=0, max_retries=1, scheduling_strategy=On(table["NodeID"], soft=False))
        .remote(marker, token): table["NodeID"]
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
