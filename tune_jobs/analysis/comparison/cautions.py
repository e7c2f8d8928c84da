"""The cautions about a comparison: the reasons why the runs are not like for like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tune_jobs.analysis.comparison.outcomes import Strategy
from tune_jobs.experiment.code_fingerprint import CLASSES, COMPILED, HELPERS
from tune_jobs.experiment.fields import FIELDS

_CODE = CLASSES  # the fingerprints of the trainable's source: no field of an experiment, but recorded beside them
_CODE_SENTENCE = "the code of the trainable has changed between them"
_UNKNOWN = "null"


def find_cautions(strategies: Sequence[Strategy]) -> list[str]:
    """Return why a comparison of strategies is not like for like, a sentence each.

    Args:
        strategies: The strategies that are compared.
    """
    sentences = _sentences()
    differing = [name for name in sentences if len(_values(strategies, name)) > 1]
    if _CODE not in differing and any(len(_values(strategies, name) - {_UNKNOWN}) > 1 for name in (HELPERS, COMPILED)):
        differing.append(_CODE)
    if "trainable" in differing and _CODE in differing:
        differing.remove(_CODE)
    elif "trainable" in differing and _values(strategies, _CODE) != {_UNKNOWN}:
        differing.remove("trainable")  # the same classes, in a file that was moved
    return [
        *(f"Not like for like: {sentences[name] or _values_by_strategy(strategies, name)}." for name in differing),
        *(sentence for strategy in strategies for sentence in _unfinished(strategy)),
    ]


def _sentences() -> dict[str, str | None]:
    """Return the sentence about each thing in which runs may differ, in order; None: the values are given."""
    cautions = {field.name: field.caution for field in FIELDS.values() if field.caution}
    ordered = sorted(cautions.items(), key=lambda item: item[1].order)
    return {**{name: caution.sentence for name, caution in ordered}, _CODE: _CODE_SENTENCE}


def _values(strategies: Sequence[Strategy], name: str) -> set[str]:
    return {_value(outcome.run.experiment, name) for strategy in strategies for outcome in strategy.outcomes}


def _value(record: Mapping[str, Any], name: str) -> str:
    value = FIELDS[name].recorded_json(record) if name in FIELDS else record.get(name)
    if isinstance(value, str):
        return value
    # 1 and 1.0 are the same fraction.
    return f"{value:g}" if isinstance(value, int | float) else json.dumps(value, sort_keys=True)


def _values_by_strategy(strategies: Sequence[Strategy], name: str) -> str:
    values = (f"{' or '.join(sorted(_values([strategy], name)))} in {strategy.name}" for strategy in strategies)
    return f"{name} is {', '.join(values)}"


def _unfinished(strategy: Strategy) -> list[str]:
    sentences = []
    if len(strategy.outcomes) < strategy.planned:
        sentences.append(f"{strategy.name} has {len(strategy.outcomes)} of its {strategy.planned} repeats.")
    unfinished = [outcome.run.name for outcome in strategy.outcomes if not outcome.history.is_finished]
    if unfinished:
        sentences.append(f"{', '.join(unfinished)} did not end as planned: tune-jobs resume goes on.")
    return sentences
