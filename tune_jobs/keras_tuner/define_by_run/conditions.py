"""The conditions under which hyperparameters are asked for, inferred from runs of the code.

The code is a decision tree: each answer decides what is asked next. From a run in which a hyperparameter was asked for,
one earlier answer after another is varied. An answer with which it is no longer asked for shows a condition. All
conditions of one such run make a variant of the hyperparameter. Where a variant does not explain all runs (it is asked
for if one answer *or* another one is right), further variants follow, which exclude each other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from search_spaces.json_values import identity
from tune_jobs.keras_tuner.define_by_run.exploration import Exploration, Explorer, values_to_try
from tune_jobs.keras_tuner.define_by_run.parameters import HyperParameter, plain


@dataclass(eq=False)
class Variant:
    """A hyperparameter, and one set of conditions under which it is asked for.

    Attributes:
        declared: The hyperparameter.
        conditions: The values of each parent, as pairs of their identities and the values; all conditions must hold.
    """

    declared: HyperParameter
    conditions: dict[Variant, dict[Hashable, Any]] = field(default_factory=dict)

    @property
    def key(self) -> Hashable:
        """The key of the hyperparameter."""
        return self.declared.key

    def holds(self, values: Mapping[Hashable, Any]) -> bool:
        """Return whether all conditions hold for the values of a run."""
        return all(
            parent.key in values and identity(plain(values[parent.key])) in accepted and parent.holds(values)
            for parent, accepted in self.conditions.items()
        )

    def ancestors(self) -> Iterator[Variant]:
        """Yield the parents, their parents, and so on."""
        for parent in self.conditions:
            yield parent
            yield from parent.ancestors()


class Inference:
    """The variants of all hyperparameters that some code asks for.

    Args:
        explorer: Runs the code.

    Attributes:
        uncertain: The names of hyperparameters whose conditions could not be told.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.uncertain: set[str] = set()
        self._variants: dict[Hashable, list[Variant]] = {}
        self._explorer = explorer
        self._order: list[Hashable] = []
        self._rounds = 0

    @property
    def variants(self) -> list[Variant]:
        """The variants, in the order in which the code asks for them."""
        return [variant for key in self._order for variant in self._variants.get(key, ())]

    def begin(self) -> Exploration:
        """Run the code with all defaults, and survey it.

        Raises:
            Exception: The code fails with its defaults, and with each other value of what it asks for until then.
        """
        base = self._explorer.run({})
        if base is None:
            raise RuntimeError("There was no time for a single run.")
        if base.error is not None and not any(run.error is None for run in self._varied(base)):
            raise base.error
        self.cover()
        return base

    def cover(self) -> None:
        """Survey runs until each hyperparameter of each run has a variant that explains it."""
        while True:
            missing = {id(run): self._unexplained(run) for run in self._explorer.runs}
            run = max(self._explorer.runs, key=lambda run: len(missing[id(run)]))
            if not missing[id(run)] or self._rounds > 200:
                return
            self._rounds += 1
            self._survey(run, missing[id(run)])

    def correct(self, run: Exploration) -> bool:
        """Take in a run whose hyperparameters were predicted; return whether the prediction was wrong.

        Args:
            run: A run with a configuration of the space.
        """
        wrong = bool(self._unexplained(run))
        if run.error is None:
            for variant in [one for one in self.variants if one.key not in run.asked and one.holds(run.values)]:
                wrong = True
                if variant in self._variants.get(variant.key, ()):
                    self._narrow(variant, run)
        if wrong:
            self.cover()
        return wrong

    def _unexplained(self, run: Exploration) -> list[Hashable]:
        return [
            key for key in run.asked if not any(variant.holds(run.values) for variant in self._variants.get(key, ()))
        ]

    def _varied(self, base: Exploration) -> Iterable[Exploration]:
        for key in base.asked:
            yield from (run for _, run in self._explorer.variations(base, key).values())

    def _survey(self, base: Exploration, keys: list[Hashable]) -> None:
        """Add a variant of each of some hyperparameters, whose conditions hold in a run."""
        self._remember_order(base)
        runs = {key: self._explorer.variations(base, key) for key in _until(base, keys)}
        for key in keys:
            self._variants.setdefault(key, []).append(self._variant(base, key, runs))

    def _variant(
        self, base: Exploration, key: Hashable, runs: Mapping[Hashable, dict[Hashable, tuple[Any, Exploration]]]
    ) -> Variant:
        variant = Variant(base.asked[key])
        for parent_key in _before(base, key):
            found = runs[parent_key]
            accepted = {
                mark: value for mark, (value, run) in found.items() if key in run.asked or run.error is not None
            }
            if len(accepted) == len(found):
                continue
            parent = self._variant_in(base, parent_key)
            if parent is None or parent.declared.parameter.grid() is None:
                self.uncertain.add(variant.declared.name)
                continue
            variant.conditions[parent] = accepted
        self._exclude_others(variant, base)
        self._simplify(variant)
        return variant

    def _variant_in(self, run: Exploration, key: Hashable) -> Variant | None:
        return next((one for one in self._variants.get(key, ()) if one.holds(run.values)), None)

    def _exclude_others(self, variant: Variant, base: Exploration) -> None:
        """Add conditions so that no two variants of the hyperparameter are active in one configuration."""
        for other in self._variants.get(variant.key, ()):
            if self._exclude_each_other(variant, other):
                continue
            for parent, accepted in _all_conditions(other):
                now = identity(plain(base.values.get(parent.key)))
                if parent.key in base.values and parent.holds(base.values) and now not in accepted:
                    own = variant.conditions.get(parent) or _values_of(parent.declared)
                    variant.conditions[parent] = {mark: value for mark, value in own.items() if mark not in accepted}
                    break
            else:
                self.uncertain.add(variant.declared.name)

    @staticmethod
    def _exclude_each_other(one: Variant, other: Variant) -> bool:
        others = dict(_all_conditions(other))
        return any(
            parent in others and not accepted.keys() & others[parent].keys()
            for parent, accepted in _all_conditions(one)
        )

    @staticmethod
    def _simplify(variant: Variant) -> None:
        """Leave out conditions that those of a parent include."""
        for parent in list(variant.conditions):
            implied = {
                ancestor: accepted
                for other in variant.conditions
                if other is not parent
                for ancestor, accepted in other.conditions.items()
            }
            if parent in implied and implied[parent].keys() <= variant.conditions[parent].keys():
                del variant.conditions[parent]

    def _narrow(self, variant: Variant, absent: Exploration) -> None:
        """Replace a variant whose conditions are too wide: they hold in a run that did not ask for it.

        On the way from this run to one that asked for it, one value after another is taken over. The first run that
        asks for it is the one whose conditions are inferred next.
        """
        self._drop(variant)
        present = next((run for run in self._explorer.runs if variant.key in run.asked), None)
        values = dict(absent.values)
        for key in () if present is None else _before(present, variant.key):
            values = {**values, key: present.values[key]}  # type: ignore[union-attr]
            found = self._explorer.run(values)
            if found is None:
                return
            if variant.key in found.asked:
                self._rounds += 1
                if self._rounds <= 200:
                    self._survey(found, self._unexplained(found))
                return

    def _drop(self, variant: Variant) -> None:
        self._variants = {
            key: [one for one in variants if one is not variant and variant not in one.ancestors()]
            for key, variants in self._variants.items()
        }

    def _remember_order(self, run: Exploration) -> None:
        """Put hyperparameters that are new before the known one that was asked for next."""
        position = len(self._order)
        for key in reversed(run.asked):
            if key in self._order:
                position = self._order.index(key)
            else:
                self._order.insert(position, key)


def _before(run: Exploration, key: Hashable) -> list[Hashable]:
    keys = list(run.asked)
    return keys[: keys.index(key)]


def _until(run: Exploration, keys: list[Hashable]) -> list[Hashable]:
    """Return the hyperparameters that were asked for before the last of some."""
    asked = list(run.asked)
    return asked[: max(asked.index(key) for key in keys)]


def _all_conditions(variant: Variant) -> Iterator[tuple[Variant, dict[Hashable, Any]]]:
    yield from variant.conditions.items()
    for parent in variant.conditions:
        yield from _all_conditions(parent)


def _values_of(declared: HyperParameter) -> dict[Hashable, Any]:
    return {identity(plain(value)): value for value in values_to_try(declared)}
