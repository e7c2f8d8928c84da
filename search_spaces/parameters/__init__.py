"""The kinds of parameter, and their form in JSON."""

from typing import Any

from search_spaces.checked import InvalidDeclaration
from search_spaces.messages import did_you_mean, mistake, shown
from search_spaces.parameters.base import Parameter
from search_spaces.parameters.choices import Boolean, Choice, Fixed
from search_spaces.parameters.ranges import Float, Int

__all__ = [
    "Boolean",
    "Choice",
    "Fixed",
    "Float",
    "Int",
    "Parameter",
    "parameter_from_json",
    "parameter_to_json",
]

KINDS: dict[str, type[Parameter]] = {kind.__name__: kind for kind in (Int, Float, Choice, Boolean, Fixed)}
_REQUIRED = {"Int": {"lower", "upper"}, "Float": {"lower", "upper"}, "Choice": {"values"}, "Fixed": {"value"}}
_OPTIONAL = {"Int": {"step", "log"}, "Float": {"step", "log"}}
_SHARED = {"kind", "when", "per"}


def parameter_to_json(parameter: Parameter) -> dict[str, Any]:
    """Return the parameter as JSON; what is at its default is left out."""
    data = {"kind": type(parameter).__name__, **parameter.arguments()}
    if parameter.conditions:
        data["when"] = [{"parent": each.parent, "is": each.given} for each in parameter.conditions]
    if parameter.count is not None:
        data["per"] = parameter.count
    return data


def parameter_from_json(data: object) -> Parameter:
    """Return the parameter that `parameter_to_json` wrote.

    Raises:
        InvalidDeclaration: The data is not of that form, or the parameter it describes is invalid.
    """
    if problems := _form_problems(data):
        raise InvalidDeclaration(problems)
    fields: dict[str, Any] = dict(data)  # type: ignore[call-overload]
    kind, when, per = KINDS[fields.pop("kind")], fields.pop("when", []), fields.pop("per", None)
    parameter = Choice(*fields["values"]) if kind is Choice else kind(**fields)
    for condition in when:
        parameter = parameter.when(**{condition["parent"]: condition["is"]})
    return parameter if per is None else parameter.per(per)


def _form_problems(data: object) -> list[str]:
    """Return what keeps the data from being read at all; what it says is checked when it is built."""
    if not isinstance(data, dict):
        return [f"A parameter is {shown(data)}, but must be a dict with its `kind`."]
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return [mistake("kind", kind, f"one of {', '.join(KINDS)}", did_you_mean(kind, KINDS))]
    required, optional = _REQUIRED.get(kind, set()), _OPTIONAL.get(kind, set())
    problems = [f"The {kind} has no `{name}`, but must: add it." for name in sorted(required - data.keys())]
    known = required | optional | _SHARED
    problems += [
        f"The {kind} has {shown(name)}, which means nothing: {did_you_mean(name, sorted(known))}."
        for name in data.keys() - known
    ]
    if not isinstance(data.get("values", []), list):
        problems.append(mistake("values", data["values"], "a list", "put it into a list"))
    if not _is_when(data.get("when", [])):
        problems.append(mistake("when", data["when"], "a list of {parent, is}", "name a parent and its values"))
    return problems


def _is_when(data: object) -> bool:
    return isinstance(data, list) and all(
        isinstance(each, dict) and each.keys() == {"parent", "is"} and isinstance(each["parent"], str) for each in data
    )
