"""What makes parameters a valid space together, as pure functions that report mistakes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from math import prod
from typing import Any

from search_spaces.messages import did_you_mean, mistake, shown
from search_spaces.parameters.base import Parameter
from search_spaces.parameters.conditions import Condition, same_values
from search_spaces.parameters.grids import FloatGrid
from search_spaces.slots import Layout, counts_above, dependency_order, parents

MOST_SLOTS = 500
DEEPEST_LISTS = 8


def space_problems(declared: Mapping[Any, Any]) -> list[str]:
    """Return all that is wrong with the parameters of a space, each mistake named by its parameter.

    Later checks need what earlier ones establish: sound parents, then no cycles, then sound repetition.
    """
    if not declared:
        return ["The space has no parameters, but must have at least one: write SearchSpace(units=Int(16, 64))."]
    if len(declared) > MOST_SLOTS:
        return [f"The space has {len(declared)} parameters, but must have at most {MOST_SLOTS}: drop some."]
    problems = list(chain.from_iterable(_entry_problems(name, entry) for name, entry in declared.items()))
    parameters = {name: entry for name, entry in declared.items() if isinstance(entry, Parameter)}
    for name, parameter in parameters.items():
        found = chain(_condition_problems(parameter, parameters), _count_problems(parameter, parameters))
        problems += [f"{name}: {each}" for each in found]
    cycles = _cycle_problems(parameters)
    orphans = any(parent not in parameters for each in parameters.values() for parent in parents(each))
    problems += cycles or ([] if orphans else _list_problems(parameters))
    return problems or _slot_problems(Layout(parameters))


def _entry_problems(name: object, entry: object) -> Iterator[str]:
    if not (isinstance(name, str) and name.isidentifier()):
        yield mistake("name", name, "a Python identifier", "use letters, digits and _, as in learning_rate")
    if isinstance(entry, Parameter):
        yield from (f"{name}: {each}" for each in entry.problems())
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
            possible[condition.parent] = same_values(accepted, possible.get(condition.parent, accepted))
    for name in (name for name, values in possible.items() if not values):
        yield f"The conditions on `{name}` contradict each other, so it is never active: keep one of them."


def _unknown_parent(name: object, parameters: Mapping[str, Parameter]) -> str:
    return f"The parent {shown(name)} is not a parameter of the space: {did_you_mean(name, parameters)}."


def _value_problems(condition: Condition, parent: Parameter) -> Iterator[str]:
    if parent.grid() is None:
        yield (
            f"The condition on `{condition.parent}` asks for one value of a continuous range, which is"
            " never drawn: give it a step, or make it a Choice."
        )
        return
    for value in condition.accepted(parent):
        if reason := parent.problem_with(value):
            yield f"The condition on `{condition.parent}` can never hold: the value {reason}."


def _count_problems(parameter: Parameter, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    name = parameter.count
    if name is None:
        return
    count = parameters.get(name)
    if count is None:
        yield _unknown_parent(name, parameters)
    elif not count.problems() and not _counts(count):
        yield (
            f"It is repeated per `{name}`, which is {shown(count)}, but must be whole numbers >= 0:"
            " use an Int, a Fixed or a Choice of such numbers."
        )


def _counts(parameter: Parameter) -> bool:
    grid = parameter.grid()
    if isinstance(grid, range):
        return grid[0] >= 0
    return not (grid is None or isinstance(grid, FloatGrid)) and all(type(each) is int and each >= 0 for each in grid)


def _cycle_problems(parameters: Mapping[str, Parameter]) -> list[str]:
    entangled = parameters.keys() - set(dependency_order(parameters))
    if not entangled:
        return []
    path = [next(name for name in parameters if name in entangled)]
    while path.count(path[-1]) == 1:
        path.append(next(parent for parent in parents(parameters[path[-1]]) if parent in entangled))
    cycle = " -> ".join(path[path.index(path[-1]) :])
    return [f"{path[-1]}: It depends on itself, {cycle}, but must not: remove one of these conditions."]


def _list_problems(parameters: Mapping[str, Parameter]) -> list[str]:
    """Return the conditions on elements of lists that the child does not have, and lists too deep."""
    counts = {name: counts_above(parameters, name) for name in parameters}
    problems = [
        f"{name}: Its lists are nested {len(own)} deep, but must be at most {DEEPEST_LISTS}: repeat it less."
        for name, own in counts.items()
        if len(own) > DEEPEST_LISTS
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


def _slot_problems(layout: Layout) -> list[str]:
    most = {name: prod(layout.most(count) for count in counts) for name, counts in layout.counts.items()}
    if sum(most.values()) > MOST_SLOTS:
        widest = max(most, key=lambda name: most[name])
        return [
            f"{widest}: It is repeated up to {most[widest]} times, but a configuration must have at most"
            f" {MOST_SLOTS} values in all: lower `{layout.counts[widest][-1]}`."
        ]
    times = Counter(slot.label for slot in layout.slots.values())
    return [
        f"{slot.name}: Its value {slot.index} has the label `{slot.label}`, as another has, but labels must"
        " differ: rename one of the two."
        for slot in layout.slots.values()
        if slot.index and times[slot.label] > 1
    ]
