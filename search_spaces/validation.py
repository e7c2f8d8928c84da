"""The rules of spaces: every reason why a declaration, or a configuration, is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from math import prod
from typing import Any

from search_spaces.json_values import common_values
from search_spaces.messages import did_you_mean, mistake, short_repr
from search_spaces.parameters.base import Condition, Parameter
from search_spaces.parameters.grids import FloatGrid
from search_spaces.slots import ABSENT, SlotKey, SpaceStructure, counts_of, parents_first, parents_of, slot_label

_MAX_SLOTS = 500
_MAX_LIST_DEPTH = 8
_MOST_VALUES_NAMED = 30


def space_problems(declared: Mapping[Any, Any]) -> list[str]:
    """Return every mistake in the parameters of a space; each text begins with the parameter's name.

    Later checks need what earlier ones make sure of: known parents, then no cycles, then valid repetition.
    """
    if not declared:
        return ["The space has no parameters, but must have at least one: write SearchSpace(units=Int(16, 64))."]
    if len(declared) > _MAX_SLOTS:
        return [f"The space has {len(declared)} parameters, but must have at most {_MAX_SLOTS}: drop some."]
    problems = list(chain.from_iterable(_entry_problems(name, entry) for name, entry in declared.items()))
    parameters = {name: entry for name, entry in declared.items() if isinstance(entry, Parameter)}
    for name, parameter in parameters.items():
        dependencies = chain(_condition_problems(parameter, parameters), _count_problems(parameter, parameters))
        problems += [f"{name}: {problem}" for problem in dependencies]
    cycles = _cycle_problems(parameters)
    has_orphans = any(parent not in parameters for child in parameters.values() for parent in parents_of(child))
    problems += cycles or ([] if has_orphans else _list_problems(parameters))
    return problems or _slot_problems(SpaceStructure(parameters))


def _entry_problems(name: object, entry: object) -> Iterator[str]:
    if not (isinstance(name, str) and name.isidentifier()):
        yield mistake("name", name, "a Python identifier", "use letters, digits and _, as in learning_rate")
    if isinstance(entry, Parameter):
        yield from (f"{name}: {problem}" for problem in entry.problems())
    else:
        remedy = "write Choice(*values)" if isinstance(entry, list | tuple | set) else "write Fixed(value)"
        yield mistake(str(name), entry, "an Int, Float, Choice, Boolean or Fixed", remedy)


def _condition_problems(parameter: Parameter, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    possible: dict[str, list[Any]] = {}
    for condition in parameter.conditions:
        parent = parameters.get(condition.parent)
        if parent is None:
            yield _unknown_parent(condition.parent, parameters)
        elif not (parent.problems() or condition.problems()):
            yield from _value_problems(condition, parent)
            accepted = condition.accepted(parent)
            possible[condition.parent] = common_values(accepted, possible.get(condition.parent, accepted))
    for name in (name for name, values in possible.items() if not values):
        yield f"The conditions on `{name}` contradict each other, so it is never active: keep one of them."


def _unknown_parent(name: object, parameters: Mapping[str, Parameter]) -> str:
    return f"The parent {short_repr(name)} is not a parameter of the space: {did_you_mean(name, parameters)}."


def _value_problems(condition: Condition, parent: Parameter) -> Iterator[str]:
    if parent.grid() is None:
        yield (
            f"The condition on `{condition.parent}` asks for one value of a continuous range, which is"
            " never drawn: give it a step, or make it a Choice."
        )
        return
    accepted = condition.accepted(parent)
    reasons = filter(None, map(parent.problem_with, accepted))
    for reason in islice(reasons, _MOST_VALUES_NAMED):
        yield f"The condition on `{condition.parent}` can never hold: the value {reason}."
    if next(reasons, None) is not None:
        yield f"The condition on `{condition.parent}` has more such values, {len(accepted):,} in all: remove them."


def _count_problems(parameter: Parameter, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    name = parameter.count
    if name is None:
        return
    count = parameters.get(name)
    if count is None:
        yield _unknown_parent(name, parameters)
    elif not count.problems() and not _can_count(count):
        yield (
            f"It is repeated per `{name}`, which is {short_repr(count)}, but must be whole numbers >= 0:"
            " use an Int, a Fixed or a Choice of such numbers."
        )


def _can_count(parameter: Parameter) -> bool:
    grid = parameter.grid()
    if isinstance(grid, range):
        return grid[0] >= 0
    if grid is None or isinstance(grid, FloatGrid):
        return False
    return all(type(value) is int and value >= 0 for value in grid)


def _cycle_problems(parameters: Mapping[str, Parameter]) -> list[str]:
    entangled = parameters.keys() - set(parents_first(parameters))
    if not entangled:
        return []
    path = [next(name for name in parameters if name in entangled)]
    while path.count(path[-1]) == 1:
        path.append(next(parent for parent in parents_of(parameters[path[-1]]) if parent in entangled))
    cycle = " -> ".join(path[path.index(path[-1]) :])
    return [f"{path[-1]}: It depends on itself, {cycle}, but must not: remove one of these conditions."]


def _list_problems(parameters: Mapping[str, Parameter]) -> list[str]:
    """Return every list that is nested too deep, and every condition on an element of a list that the child lacks."""
    counts = {name: counts_of(parameters, name) for name in parameters}
    problems = [
        f"{name}: Its lists are nested {len(own)} deep, but must be at most {_MAX_LIST_DEPTH}: repeat it less."
        for name, own in counts.items()
        if len(own) > _MAX_LIST_DEPTH
    ]
    for name, parameter in parameters.items():
        for condition in parameter.conditions:
            levels = counts[condition.parent]
            if counts[name][: len(levels)] != levels:
                problems.append(
                    f"{name}: The condition on `{condition.parent}` looks at one element of a list, so it"
                    f" must be repeated with it: add .per({levels[-1]!r})."
                )
    return problems


def _slot_problems(structure: SpaceStructure) -> list[str]:
    sizes = {name: prod(structure.largest(count) for count in counts) for name, counts in structure.counts.items()}
    if sum(sizes.values()) > _MAX_SLOTS:
        widest = max(sizes, key=lambda name: sizes[name])
        return [
            f"{widest}: It is repeated up to {sizes[widest]} times, but a configuration must have at most"
            f" {_MAX_SLOTS} values in all: lower `{structure.counts[widest][-1]}`."
        ]
    times = Counter(slot.label for slot in structure.slots.values())
    return [
        f"{slot.name}: Its value {slot.index} has the same label as another value, `{slot.label}`, but labels must"
        " differ: rename one of the two."
        for slot in structure.slots.values()
        if slot.index and times[slot.label] > 1
    ]


def config_problems(structure: SpaceStructure, config: object) -> list[str]:
    """Return every reason why a value is not a configuration of the space; none if it is one."""
    if not isinstance(config, dict):
        return [f"The configuration is {short_repr(config)}, but must be a dict."]
    problems = [
        f"{short_repr(name)} is not a parameter of the space: {did_you_mean(name, structure.parameters)}."
        for name in config
        if name not in structure.parameters
    ]
    return problems + _ConfigCheck(structure).run(config)


class _ConfigCheck:
    """One pass over a configuration, parents first."""

    def __init__(self, structure: SpaceStructure) -> None:
        self.structure = structure
        self.values: dict[SlotKey, Any] = {}
        self.wrong: set[str] = set()  # parameters with a mistake: whether a child of theirs is active is unknown

    def run(self, config: Mapping[str, Any]) -> list[str]:
        problems = []
        for name in self.structure.order:
            if self._has_wrong_parent(name):
                self.wrong.add(name)
                continue
            mistakes = list(self._check((name, ()), config.get(name, ABSENT)))
            if mistakes:
                self.wrong.add(name)
            problems += mistakes
        return problems

    def _has_wrong_parent(self, name: str) -> bool:
        parents = {*self.structure.counts[name], *(rule.parent for rule in self.structure.parent_rules[name])}
        return not parents.isdisjoint(self.wrong)

    def _check(self, key: SlotKey, value: Any) -> Iterator[str]:
        name, index = key
        parent = self.structure.deactivating_parent(key, self.values)
        if parent is not None:
            if value is not (None if index else ABSENT):
                rule = "None" if index else "absent"
                reason = self._reason(name, parent)
                yield f"{slot_label(key)} is {short_repr(value)}, but must be {rule}, because {reason}."
        elif value is ABSENT:
            yield f"{slot_label(key)} is missing, but must be {self.structure.parameters[name].rule()}."
        elif len(index) < self.structure.list_depth(name):
            yield from self._check_list(key, value)
        elif problem := self.structure.parameters[name].problem_with(value):
            yield f"{slot_label(key)} {problem}."
        else:
            self.values[key] = value

    def _check_list(self, key: SlotKey, value: Any) -> Iterator[str]:
        name, index = key
        count = self.structure.counts[name][len(index)]
        length = self.values[count, index]
        if not isinstance(value, list) or len(value) != length:
            yield (
                f"{slot_label(key)} is {short_repr(value)}, but must be a list of {length} values,"
                f" because {slot_label((count, index))} is {length}."
            )
            return
        for number, element in enumerate(value):
            yield from self._check((name, (*index, number)), element)

    def _reason(self, name: str, parent: str) -> str:
        conditions = self.structure.parameters[name].conditions
        needs = " and ".join(str(condition) for condition in conditions if condition.parent == parent)
        return f"it needs {needs}" if needs else f"`{parent}` is not active"
