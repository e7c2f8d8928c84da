"""Why a configuration does not belong to a space."""

from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces.messages import did_you_mean, shown
from search_spaces.slots import Layout, SlotKey, label

_ABSENT = object()


def config_problems(layout: Layout, config: object) -> list[str]:
    """Return every reason why the configuration is not one of the space; none when it is."""
    if not isinstance(config, dict):
        return [f"The configuration is {shown(config)}, but must be a dict."]
    problems = [
        f"{shown(name)} is not a parameter of the space: {did_you_mean(name, layout.parameters)}."
        for name in config
        if name not in layout.parameters
    ]
    return problems + _Comparison(layout).run(config)


class _Comparison:
    """One pass over a configuration, parents first."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.values: dict[SlotKey, Any] = {}
        self.doubtful: set[str] = set()  # names with a mistake: what depends on them can't be judged

    def run(self, config: Mapping[str, Any]) -> list[str]:
        problems = []
        for name in self.layout.order:
            if self._depends_on_doubtful(name):
                self.doubtful.add(name)
                continue
            found = list(self._compare((name, ()), config.get(name, _ABSENT)))
            if found:
                self.doubtful.add(name)
            problems += found
        return problems

    def _depends_on_doubtful(self, name: str) -> bool:
        asked = {*self.layout.counts[name], *(gate.parent for gate in self.layout.gates[name])}
        return not asked.isdisjoint(self.doubtful)

    def _compare(self, place: SlotKey, given: Any) -> Iterator[str]:
        name, index = place
        called = label(name, index)
        closing = self.layout.closing_parent(name, index, self.values)
        if closing is not None:
            if given is not (None if index else _ABSENT):
                expected = "None" if index else "absent"
                why = self._why(name, closing)
                yield f"{called} is {shown(given)}, but must be {expected}, because {why}."
        elif given is _ABSENT:
            yield f"{called} is missing, but must be {self.layout.parameters[name].rule()}."
        elif len(index) < self.layout.depth(name):
            yield from self._compare_list(place, given)
        elif reason := self.layout.parameters[name].problem_with(given):
            yield f"{called} {reason}."
        else:
            self.values[place] = given

    def _compare_list(self, place: SlotKey, given: Any) -> Iterator[str]:
        name, index = place
        count = self.layout.counts[name][len(index)]
        length = self.values[count, index]
        if not isinstance(given, list) or len(given) != length:
            yield (
                f"{label(name, index)} is {shown(given)}, but must be a list of {length} values,"
                f" because {label(count, index)} is {length}."
            )
            return
        for nth, element in enumerate(given):
            yield from self._compare((name, (*index, nth)), element)

    def _why(self, name: str, parent: str) -> str:
        conditions = [str(each) for each in self.layout.parameters[name].conditions if each.parent == parent]
        return f"it needs {' and '.join(conditions)}" if conditions else f"`{parent}` is not active"
