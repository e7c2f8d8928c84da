"""The form of parameters in JSON, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.checked import InvalidDeclaration, deferred_checks
from search_spaces.messages import did_you_mean, mistake, short_repr
from search_spaces.parameters.base import Parameter
from search_spaces.parameters.choices import Boolean, Choice, Fixed
from search_spaces.parameters.ranges import Float, Int

KINDS: dict[str, type[Parameter]] = {kind.__name__: kind for kind in (Int, Float, Choice, Boolean, Fixed)}
_REQUIRED = {"Int": {"lower", "upper"}, "Float": {"lower", "upper"}, "Choice": {"values"}, "Fixed": {"value"}}
_OPTIONAL = {"Int": {"step", "log"}, "Float": {"step", "log"}}
_COMMON = {"kind", "when", "per"}


def parameters_to_json(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return the parameters of a space as JSON: a list, because their order matters and JSON objects have none."""
    return {"parameters": [{"name": name, **parameter_to_json(parameter)} for name, parameter in parameters.items()]}


def parameters_from_json(data: object) -> dict[str, Parameter]:
    """Return the parameters that ``parameters_to_json`` wrote; only the space that is made of them checks their values.

    Raises:
        InvalidDeclaration: The data does not have that form; all mistakes are listed.
    """
    entries = data.get("parameters") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        form = "a dict with a list of `parameters`"
        raise InvalidDeclaration([f"The space is {short_repr(data)}, but must be {form}: see SearchSpace.to_json."])
    parameters: dict[str, Parameter] = {}
    problems: list[str] = []
    for entry in entries:
        fields = dict(entry) if isinstance(entry, dict) else {}
        name = fields.pop("name", None)
        if not isinstance(name, str) or name in parameters:
            problems.append(f"A parameter is {short_repr(entry)}, but must be a dict with a `name` of its own.")
            continue
        try:
            with deferred_checks():
                parameters[name] = parameter_from_json(fields)
        except InvalidDeclaration as error:
            problems += [f"{name}: {problem}" for problem in error.problems]
    if problems:
        raise InvalidDeclaration(problems)
    return parameters


def parameter_to_json(parameter: Parameter) -> dict[str, Any]:
    """Return a parameter as JSON; arguments at their default are left out."""
    data = {"kind": type(parameter).__name__, **parameter.arguments()}
    if parameter.conditions:
        data["when"] = [{"parent": condition.parent, "is": condition.expected} for condition in parameter.conditions]
    if parameter.count is not None:
        data["per"] = parameter.count
    return data


def parameter_from_json(data: object) -> Parameter:
    """Return the parameter that ``parameter_to_json`` wrote.

    Raises:
        InvalidDeclaration: The data does not have that form, or the parameter is invalid.
    """
    if problems := _form_problems(data):
        raise InvalidDeclaration(problems)
    fields: dict[str, Any] = dict(data)  # type: ignore[call-overload]
    kind, conditions, count = KINDS[fields.pop("kind")], fields.pop("when", []), fields.pop("per", None)
    parameter = Choice(*fields["values"]) if kind is Choice else kind(**fields)
    for condition in conditions:
        parameter = parameter.when(**{condition["parent"]: condition["is"]})
    return parameter if count is None else parameter.per(count)


def _form_problems(data: object) -> list[str]:
    """Return why the data cannot be read as a parameter; its values are checked when the parameter is made."""
    if not isinstance(data, dict):
        return [f"A parameter is {short_repr(data)}, but must be a dict with its `kind`."]
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return [mistake("kind", kind, f"one of {', '.join(KINDS)}", did_you_mean(kind, KINDS))]
    required, optional = _REQUIRED.get(kind, set()), _OPTIONAL.get(kind, set())
    problems = [f"The {kind} has no `{name}`, but must: add it." for name in sorted(required - data.keys())]
    known = required | optional | _COMMON
    problems += [
        f"The {kind} has {short_repr(name)}, which is not one of its fields: {did_you_mean(name, sorted(known))}."
        for name in data.keys() - known
    ]
    if not isinstance(data.get("values", []), list):
        problems.append(mistake("values", data["values"], "a list", "put it into a list"))
    if not _is_condition_list(data.get("when", [])):
        problems.append(mistake("when", data["when"], "a list of {parent, is}", "name a parent and its values"))
    return problems


def _is_condition_list(data: object) -> bool:
    return isinstance(data, list) and all(
        isinstance(entry, dict) and entry.keys() == {"parent", "is"} and isinstance(entry["parent"], str)
        for entry in data
    )
