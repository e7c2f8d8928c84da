"""Why a comparison is not like for like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tune_jobs.analysis.comparison.outcomes import Strategy
from tune_jobs.results.repeats import has_ended

# Runs of versions that did not know a field used all of the data, and trained each configuration once.
_TOLD = {"trainable": None, "fraction": 1, "executions": 1, "max_epochs": None}
_UNKNOWN = "null"
_NOT_TOLD = {"space": "the search spaces differ", "code": "the code of the trainable has changed between them"}


def cautions(strategies: Sequence[Strategy]) -> list[str]:
    """Why a comparison of strategies is not like for like, a sentence each."""
    differing = [field for field in (*_TOLD, *_NOT_TOLD) if len(_values(strategies, field)) > 1]
    if "trainable" in differing and "code" in differing:
        differing.remove("code")
    elif "trainable" in differing and _values(strategies, "code") != {_UNKNOWN}:
        differing.remove("trainable")  # the same classes in a file elsewhere
    return [
        *(f"Not like for like: {_difference(strategies, field)}." for field in differing),
        *(sentence for strategy in strategies for sentence in _unfinished(strategy)),
    ]


def _values(strategies: Sequence[Strategy], field: str) -> set[str]:
    return {_value(outcome.run.experiment, field) for strategy in strategies for outcome in strategy.outcomes}


def _value(asked: Mapping[str, Any], field: str) -> str:
    value = asked.get(field, _TOLD.get(field))
    if isinstance(value, str):
        return value
    # 1 and 1.0 are the same fraction.
    return f"{value:g}" if isinstance(value, int | float) else json.dumps(value, sort_keys=True)


def _difference(strategies: Sequence[Strategy], field: str) -> str:
    if field in _NOT_TOLD:
        return _NOT_TOLD[field]
    told = (f"{' or '.join(sorted(_values([strategy], field)))} in {strategy.name}" for strategy in strategies)
    return f"{field} is {', '.join(told)}"


def _unfinished(strategy: Strategy) -> list[str]:
    sentences = []
    if len(strategy.outcomes) < strategy.planned:
        sentences.append(f"{strategy.name} has {len(strategy.outcomes)} of its {strategy.planned} repeats.")
    unfinished = [outcome.run.name for outcome in strategy.outcomes if not has_ended(outcome.history)]
    if unfinished:
        sentences.append(f"{', '.join(unfinished)} did not end as planned: tune-jobs resume goes on.")
    return sentences
