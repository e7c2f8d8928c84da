"""What a run was asked for, put together again, and why it cannot go on as it is."""

from __future__ import annotations

import difflib
import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from search_spaces import InvalidDeclaration, SearchSpace
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment, Objective, Resources
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.schedulers import SCHEDULERS
from tune_jobs.searchers import SEARCHERS

_Part = TypeVar("_Part")
_FIELDS = (
    "max_epochs",
    "trials",
    "time_budget_s",
    "total_epochs",
    "max_concurrent_trials",
    "seed",
    "checkpoint_every_s",
    "max_retries",
    "same_failures",
    "trial_timeout_s",
)
# What runs did that were begun before one could ask for it.
_LATER_FIELDS = {"executions": 1, "fraction": 1.0, "keep": "all", "on_oom": "fail"}


def restated(experiment: Experiment, asked: Mapping[str, Any], **changes: Any) -> Experiment:
    """The experiment as a run was asked for it, whatever options it had then.

    Args:
        experiment: As its file declares it today.
        asked: The run's experiment.json.
        changes: Fields to replace; None keeps what was asked.

    Raises:
        RequestError: The file is damaged, or of a version that knows other searchers or schedulers.
    """
    kept = {name: asked[name] for name in _FIELDS if name in asked}  # an earlier version knew fewer
    kept |= {name: asked.get(name, default) for name, default in _LATER_FIELDS.items()}
    fields = {**kept, **{name: value for name, value in changes.items() if value is not None}}
    try:
        return replace(
            experiment,
            objective=Objective(**asked["objective"]),
            searcher=_part(SEARCHERS, asked["searcher"]),
            scheduler=_part(SCHEDULERS, asked["scheduler"]),
            resources=Resources(**asked["resources"]),
            **fields,
        )
    except (KeyError, TypeError) as error:
        raise RequestError(f"The run's {EXPERIMENT_FILE} cannot be used ({error}): restore it from a copy.") from error


def differences(experiment: Experiment, asked: Mapping[str, Any]) -> list[str]:
    """What has changed since the run began, so that its results and new ones would not belong together."""
    changed = []
    if experiment.space.to_json() != asked["space"]:
        changed.append(f"The search space has changed: {_space_difference(asked['space'], experiment.space)}.")
    return changed + code_differences(experiment.trainable, asked)


def code_differences(trainable: type[Any], asked: Mapping[str, Any]) -> list[str]:
    """Which classes of the trainable have another source than when the run began."""
    then, now = asked.get("code", {}), fingerprints(trainable)
    names = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    return [f"The code has changed: {', '.join(names)}."] if names else []


def refusal(changed: Sequence[str], remedy: str) -> RequestError:
    """Why nothing is done with what has changed (at least one thing), and after the last what can be done."""
    return RequestError(*changed[:-1], f"{changed[-1]} {remedy}")


def fingerprints(trainable: type[Any]) -> dict[str, str]:
    """A digest of the source of each class that a trainable is made of, without those of this package's core."""
    from trainables import KerasTrainable

    digests = {}
    for kind in trainable.__mro__[: trainable.__mro__.index(KerasTrainable)]:
        try:
            source = inspect.getsource(kind)
        except (OSError, TypeError):
            continue  # made in a notebook or an interpreter: there is nothing to compare with
        digests[kind.__qualname__] = hashlib.sha256(source.encode()).hexdigest()[:16]
    return digests


def _part(registry: Mapping[str, type[_Part]], asked: Mapping[str, Any]) -> _Part:
    settings = dict(asked)
    return registry[settings.pop("kind")](**settings)


def _space_difference(then: object, now: SearchSpace) -> str:
    try:
        before = str(SearchSpace.from_json(then)).splitlines()
    except InvalidDeclaration:
        return "what was written down can no longer be read"
    lines = difflib.unified_diff(before, str(now).splitlines(), lineterm="", n=0)
    marked = [
        f"{line[0]} {' '.join(line[1:].split())}"
        for line in lines
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    return "; ".join(marked)
