"""The `ray start` commands of a launcher file: a wrong one is noticed when the machines already cost money."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tune_jobs.cluster.launcher.yaml_lines import Document

_KEYS = ("head_start_ray_commands", "worker_start_ray_commands")


def starts_workers(config: Mapping[str, Any]) -> bool:
    """Whether the head is told the file, without which it starts no workers."""
    return any("--autoscaling-config" in _options(each) for each in _started(config["head_start_ray_commands"]))


def head_runs_nothing(config: Mapping[str, Any]) -> bool:
    """Whether the head is started without CPUs, so that no trial runs on it."""
    return any(
        re.search(r"--num-cpus(=|\s+)0(\s|$)", " ".join(each)) for each in _started(config["head_start_ray_commands"])
    )


def unknown_options(document: Document, config: Mapping[str, Any]) -> Iterator[str]:
    """The options that this Ray's `ray start` does not have, such as those of older ones."""
    from ray.scripts.scripts import start

    known = {option for parameter in start.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for key in _KEYS:
        for number, command in enumerate(config[key]):
            for words in _started([command]):
                for option in _options(words):
                    if option not in known:
                        near = difflib.get_close_matches(option, known, n=1)
                        hint = f"did you mean {near[0]}?" if near else "leave it out."
                        yield f"{document.line((key, str(number)))}: `ray start` has no option {option}: {hint}"


def _started(commands: list[str]) -> Iterator[list[str]]:
    """The words of each `ray start` in shell commands."""
    for command in commands:
        for part in re.split(r"&&|\|\||[;|\n]", command):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:  # a quotation that ends in another part: not for us to judge
                continue
            for place in range(len(words) - 1):
                if words[place].rpartition("/")[2] == "ray" and words[place + 1] == "start":
                    yield words[place + 2 :]


def _options(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("--") and word != "--"]
