"""The space of a run with the parameters that its trials met after it began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces import InvalidDeclaration, SearchSpace
from search_spaces.parameters import Parameter, parameter_from_json, parameters_from_json


def problem_with(met: Mapping[str, Any]) -> str:
    """Return the rule that parameters break which a journal says were met; "" if they break none.

    Args:
        met: The parameters by name.
    """
    for name, one in met.items():
        if type(one) is not dict or "value" not in one or type(one.get("declared")) is not dict:
            return f"parameters by name, each with `parameter`, `value` and `declared`: see {name[:100]!r}"
        try:
            parameter_from_json(one.get("parameter"))
        except InvalidDeclaration as error:
            return f"parameters that a space can have ({name[:100]!r}: {error.problems[0]})"
    return ""


def grown_space(recorded: Mapping[str, Any], met: Mapping[str, Any]) -> tuple[SearchSpace, list[str]]:
    """Return a run's space with what its trials met, and a sentence about each parameter that does not fit in.

    Args:
        recorded: The space in the run's experiment.json.
        met: The parameters that trials met, by name: see ``ParametersMet``.
    """
    parameters, sentences = fitting(parameters_from_json(recorded), met)
    return SearchSpace(**parameters), sentences


def fitting(known: Mapping[str, Parameter], met: Mapping[str, Any]) -> tuple[dict[str, Parameter], list[str]]:
    """Return parameters with those that trials met and that fit in, and a sentence about each that does not.

    Args:
        known: The parameters of a space.
        met: The parameters that trials met, by name. Those of known names are passed over.
    """
    new = {name: parameter_from_json(one["parameter"]) for name, one in met.items() if name not in known}
    if new and not _problem({**known, **new}):
        return {**known, **new}, []
    parameters, sentences = dict(known), []
    for name, parameter in new.items():
        if problem := _problem({**parameters, name: parameter}):
            sentences.append(f"The parameter {name} that a trial met does not count: {problem}")
        else:
            parameters[name] = parameter
    return parameters, sentences


def _problem(parameters: Mapping[str, Parameter]) -> str:
    try:
        SearchSpace(**parameters)
    except InvalidDeclaration as error:
        return error.problems[0]
    return ""
