"""The constraints of an experiment: which are known from the configuration, and what is wrong with a declaration."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from search_spaces.messages import short_repr
from trainables.constraints.constraint import Constraint, InvalidConstraint
from trainables.constraints.measures import MEASURES
from tune_jobs.base.objective import ConstrainedObjective, Objective

_ELEMENT = re.compile(r"(?:_\d+)+$")


class DividedConstraints(NamedTuple):
    """Constraints, divided by what they are about.

    Attributes:
        of_configuration: Those on parameters of the space: a configuration that breaks one is not tried.
        of_metrics: Those on what a trial measures or reports.
    """

    of_configuration: tuple[Constraint, ...]
    of_metrics: tuple[Constraint, ...]


def divided(constraints: Iterable[str], parameters: Collection[str]) -> DividedConstraints:
    """Return constraints, divided by what they are about.

    Args:
        constraints: Valid constraints.
        parameters: The names of the space's parameters.
    """
    parsed = [Constraint(text) for text in constraints]
    of_configuration = tuple(each for each in parsed if any(_is_parameter(name, parameters) for name in each.names))
    return DividedConstraints(of_configuration, tuple(each for each in parsed if each not in of_configuration))


def constrained(objective: Objective, constraints: Iterable[str], parameters: Collection[str]) -> Objective:
    """Return an objective with those of the constraints that are on what a trial measures or reports.

    Args:
        objective: The objective.
        constraints: Valid constraints.
        parameters: The names of the space's parameters.
    """
    of_metrics = divided(constraints, parameters).of_metrics
    return ConstrainedObjective(objective.metric, objective.mode, of_metrics) if of_metrics else objective


def configuration_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a configuration by name, and those of lists by names such as ``units_0``, too."""
    values = dict(config)
    for name, value in config.items():
        _add_elements(values, name, value)
    return values


def needed_metrics(objectives: Sequence[Objective], constraints: Iterable[Constraint]) -> tuple[str, ...]:
    """Return the metrics that an epoch must report beside the first objective.

    Args:
        objectives: The objectives.
        constraints: The constraints on metrics.
    """
    names = [each.metric for each in objectives[1:]] + [name for each in constraints for name in each.names]
    return tuple(dict.fromkeys(names))


def objectives_problems(objective: object, objectives: object, parameters: Collection[str]) -> list[str]:
    """Return all that is wrong with a list of objectives, a sentence each.

    Args:
        objective: The experiment's objective.
        objectives: The list; empty if there is only the one objective.
        parameters: The names of the space's parameters, and of the elements of lists.
    """
    if not isinstance(objectives, tuple) or not all(isinstance(each, Objective) for each in objectives):
        return [f"The value is {short_repr(objectives)}, but must be a list of Objective(…)."]
    problems = [f"[{index}]: {problem}" for index, each in enumerate(objectives) for problem in each.problems()]
    if problems or not objectives:
        return problems
    metrics = [each.metric for each in objectives]
    problems += [f"`{name}` stands there twice." for name in dict.fromkeys(metrics) if metrics.count(name) > 1]
    if isinstance(objective, Objective) and objective != objectives[0]:
        problems.append(f"The first is {objectives[0]}, but `objective` is {objective}: leave `objective` out.")
    if metrics[0] in MEASURES:
        problems.append(
            f"The first is `{metrics[0]}`, which does not change while a trial is trained: begin with a metric that "
            "training improves. Schedulers judge by it, and it says which epoch is a trial's best."
        )
    problems += [
        f"`{name}` is a parameter of the space, but must be a metric that the model reports, or one of "
        f"{', '.join(MEASURES)}."
        for name in metrics
        if name in parameters
    ]
    return problems + _typing_errors(name for name in metrics if name not in parameters)


def constraint_problems(
    constraints: object,
    objectives: Sequence[Objective],
    parameters: Collection[str],
    examples: Sequence[Mapping[str, Any]],
    *,
    changes_configs: bool,
) -> list[str]:
    """Return all that is wrong with a list of constraints, a sentence each.

    Args:
        constraints: The list.
        objectives: The objectives of the experiment.
        parameters: The names of the space's parameters, and of the elements of lists.
        examples: Some configurations of the space.
        changes_configs: Whether the scheduler changes configurations of trials that have begun.
    """
    if not isinstance(constraints, tuple):
        return [f"The value is {short_repr(constraints)}, but must be a list, such as ['parameters <= 1e5']."]
    problems: list[str] = []
    sound: list[Constraint] = []
    for text in constraints:
        try:
            sound.append(Constraint(text))
        except InvalidConstraint as error:
            problems.append(f"{short_repr(text)} {error}.")
    texts = ["".join(each.text.split()) for each in sound]
    problems += [
        f"{each.text!r} stands there twice."
        for index, each in enumerate(sound)
        if texts[index] in texts[:index] and texts[index] not in texts[index + 1 :]
    ]
    for each in sound:
        known = [name for name in each.names if name in parameters]
        if known and len(known) < len(each.names):
            others = ", ".join(name for name in each.names if name not in known)
            problems.append(
                f"{each.text!r} names {', '.join(known)} of the space beside {others}: a constraint is either on "
                "parameters, or on what a trial measures."
            )
        if known and changes_configs:
            problems.append(
                f"{each.text!r} is on the configuration, but the scheduler changes configurations while trials are "
                "trained: choose another scheduler, or narrow the space."
            )
        elif known and examples and all(each.has_no_value(configuration_values(config)) for config in examples):
            problems.append(
                f"{each.text!r} has no value in configurations such as {short_repr(dict(examples[0]))}: of a list take "
                "sum(…), min(…), max(…), len(…), or an element such as units_0; text cannot be compared."
            )
        problems += [
            f"{each.text!r} bounds `{name}`, which is a parameter of the space and a measurement as well: rename the "
            "parameter."
            for name in known
            if name in MEASURES
        ]
    problems += _typing_errors((name for each in sound for name in each.names if name not in parameters), parameters)
    return problems + _contradictions(sound, objectives)


def _contradictions(constraints: Sequence[Constraint], objectives: Sequence[Objective]) -> list[str]:
    problems = []
    bounds = [(each, *each.bound) for each in constraints if each.bound is not None]
    for name in dict.fromkeys(bound[1] for bound in bounds):
        lower = [(value, sign == ">", each.text) for each, own, sign, value in bounds if own == name and ">" in sign]
        upper = [(value, sign == "<", each.text) for each, own, sign, value in bounds if own == name and "<" in sign]
        if lower and upper:
            low, is_above, low_text = max(lower)
            high, is_below, high_text = min(upper, key=lambda one: (one[0], not one[1]))
            if low > high or (low == high and (is_above or is_below)):
                problems.append(f"{low_text!r} and {high_text!r} contradict each other: nothing keeps both.")
    for objective in objectives:
        away = "<" if objective.is_better(1, 0) else ">"
        problems += [
            f"{each.text!r} contradicts Objective({objective.metric!r}, {objective.mode!r}): the better that is, the "
            "farther it is from keeping it."
            for each, name, sign, _ in bounds
            if name == objective.metric and away in sign
        ]
    return problems


def _typing_errors(names: Iterable[str], parameters: Collection[str] = ()) -> list[str]:
    """Return which names look like mistyped ones of what we know. Others may be metrics, which only a model knows."""
    problems = []
    for name in dict.fromkeys(names):
        near = difflib.get_close_matches(name, [*MEASURES, *parameters], 1, cutoff=0.8)
        if name not in MEASURES and near:
            problems.append(f"`{name}` is neither a parameter nor measured: you may have meant `{near[0]}`.")
    return problems


def _is_parameter(name: str, parameters: Collection[str]) -> bool:
    return name in parameters or _ELEMENT.sub("", name) in parameters


def _add_elements(values: dict[str, Any], label: str, value: Any) -> None:
    if isinstance(value, list | tuple):
        for index, element in enumerate(value):
            values.setdefault(f"{label}_{index}", element)
            _add_elements(values, f"{label}_{index}", element)
