"""The ``ray start`` commands of a launcher file. Unchecked, a wrong one shows when machines already cost money."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tune_jobs.cluster.internals import NotInThisRay, launcher
from tune_jobs.cluster.launcher.yaml_lines import Document

_COMMAND_KEYS = ("head_start_ray_commands", "worker_start_ray_commands")


def starts_workers(config: Mapping[str, Any]) -> bool:
    """Return whether the head is given the launcher file. Without it, the head starts no workers.

    Args:
        config: The content of the launcher file, with Ray's defaults.
    """
    return any("--autoscaling-config" in _options(words) for words in _ray_starts(config["head_start_ray_commands"]))


def head_runs_nothing(config: Mapping[str, Any]) -> bool:
    """Return whether the head is started without CPUs, so that no trial runs on it.

    Args:
        config: The content of the launcher file, with Ray's defaults.
    """
    return any(
        re.search(r"--num-cpus(=|\s+)0(\s|$)", " ".join(words))
        for words in _ray_starts(config["head_start_ray_commands"])
    )


def option_problems(document: Document, config: Mapping[str, Any], notes: list[str]) -> list[str]:
    """Return a problem for each option that this Ray's ``ray start`` does not have, such as those of older ones.

    Args:
        document: The launcher file.
        config: Its content, with Ray's defaults.
        notes: The list that gets a note when the options cannot be checked.
    """
    try:
        known = launcher.start_options()
    except NotInThisRay as reason:
        notes.append(f"The options of `ray start` were not checked: {reason}.")
        return []
    return [
        f"{document.line((key, str(number)))}: `ray start` has no option {option}: {_hint(option, known)}"
        for key in _COMMAND_KEYS
        for number, command in enumerate(config[key])
        for words in _ray_starts([command])
        for option in _options(words)
        if option not in known
    ]


def _hint(option: str, known: set[str]) -> str:
    near = difflib.get_close_matches(option, known, n=1)
    return f"did you mean {near[0]}?" if near else "leave it out."


def _ray_starts(commands: list[str]) -> Iterator[list[str]]:
    """Yield the words after each ``ray start`` in shell commands."""
    for command in commands:
        for part in re.split(r"&&|\|\||[;|\n]", command):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:  # a quotation that ends in another part: the shell will judge it
                continue
            for index in range(len(words) - 1):
                if words[index].rpartition("/")[2] == "ray" and words[index + 1] == "start":
                    yield words[index + 2 :]


def _options(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("--") and word != "--"]
