"""The answers of an ``hp``: values by name, scopes, and what was asked for."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Self

from search_spaces.messages import did_you_mean
from tune_jobs.keras_tuner.define_by_run.parameter import late_names
from tune_jobs.keras_tuner.define_by_run.parameters import HyperParameter, Parent, from_config, to_config

_ROOM = __name__.rpartition(".")[0]

Choose = Callable[[HyperParameter], Any]
"""A function that returns the value of a hyperparameter that is asked for the first time."""


class Answers:
    """The base of ``HyperParameters``: the values by name, the scopes, and what was asked for.

    Attributes:
        space: The hyperparameters that were asked for, also those that are not active.
        values: The value of each active hyperparameter, by its name.
    """

    def __init__(self) -> None:
        self.space: list[HyperParameter] = []
        self.values: dict[str, Any] = {}
        self._scopes: list[str] = []
        self._conditions: list[Parent] = []
        self._choose: Choose | None = None
        self._overrides: dict[str, HyperParameter] = {}
        self._late: dict[str, Any] = {}
        self._asked: dict[str, HyperParameter] = {}
        self._is_strict = False
        self._asks_all = True

    @classmethod
    def choosing(
        cls, choose: Choose, overrides: Iterable[HyperParameter] = (), *, only_overrides: bool = False
    ) -> Self:
        """Return hyperparameters for one build, which refuse one name with two ranges.

        Args:
            choose: Returns the value of each hyperparameter when it is asked for.
            overrides: Hyperparameters that stand in for those of the same names that the code declares.
            only_overrides: Whether all others have their defaults, and do not count as asked for.
        """
        hp = cls()
        hp._choose, hp._is_strict, hp._asks_all = choose, True, not only_overrides
        hp._overrides = {given.name: given for given in overrides}
        return hp

    @classmethod
    def of(
        cls,
        values: Mapping[str, Any],
        space: Iterable[HyperParameter] = (),
        late: Mapping[str, Any] = MappingProxyType({}),
    ) -> Self:
        """Return hyperparameters that have values already.

        Args:
            values: The values by name.
            space: The hyperparameters that have these values, as far as they are known.
            late: Those of the values that no known hyperparameter has, as a configuration has them, by the names of
                their parameters: they are taken when the code asks for them.
        """
        hp = cls()
        hp.values = dict(values)
        hp.space = list(space)
        hp._late = dict(late)
        return hp

    @property
    def asked(self) -> dict[str, HyperParameter]:
        """The active hyperparameters that were asked for, by name, in their order."""
        return dict(self._asked)

    @contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Put a name and a slash before the names of all hyperparameters that are declared in the block."""
        self._scopes.append(str(name))
        try:
            yield
        finally:
            self._scopes.pop()

    @contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Make all hyperparameters of the block active only where a parent has one of some values.

        The block runs in any case. A hyperparameter that is not active is None.

        Args:
            parent_name: The name of the parent, which was declared before.
            parent_values: A value, or a list of values.

        Raises:
            ValueError: The parent is unknown, or cannot have one of the values.
        """
        name = self._full_name(parent_name)
        values = tuple(parent_values) if isinstance(parent_values, list | tuple | set) else (parent_values,)
        parents = [known for known in self.space if known.name == name]
        if not parents and name not in self.values:
            raise ValueError(
                f"hp.conditional_scope({parent_name!r}, …): there is no hyperparameter of this name yet: "
                f"{did_you_mean(name, [known.name for known in self.space])}. Declare it before the scope."
            )
        for value in values:
            if parents and not any(parent.can_have(value) for parent in parents):
                raise ValueError(
                    f"hp.conditional_scope({parent_name!r}, {list(values)!r}): {parents[-1]!r} never has the value "
                    f"{value!r}: correct the value."
                )
        self._conditions.append(Parent(name, values))
        try:
            yield
        finally:
            self._conditions.pop()

    def get(self, name: str) -> Any:
        """Return the value of an active hyperparameter.

        Raises:
            ValueError: The hyperparameter is not active.
            KeyError: There is none of this name.
        """
        full = self._full_name(name)
        if full in self.values:
            return self.values[full]
        if full in self._overrides:
            return self._answer(self._overrides[full])
        known = [one.name for one in self.space]
        if full in known:
            raise ValueError(f"The hyperparameter {full!r} is not active: its parents have other values.")
        raise KeyError(f"There is no hyperparameter {full!r}: {did_you_mean(full, known)}.")

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __contains__(self, name: str) -> bool:
        try:
            self.get(name)
        except (KeyError, ValueError):
            return False
        return True

    def is_active(self, hyperparameter: HyperParameter | str) -> bool:
        """Return whether the parents of a hyperparameter have the values with which it is active.

        Args:
            hyperparameter: A hyperparameter, or the name of one.
        """
        if isinstance(hyperparameter, HyperParameter):
            return all(condition.holds(self.values) for condition in hyperparameter.conditions)
        return any(self.is_active(known) for known in self.space if known.name == hyperparameter)

    def merge(self, hps: Answers | Iterable[HyperParameter], overwrite: bool = True) -> None:
        """Take over hyperparameters.

        Args:
            hps: The hyperparameters.
            overwrite: Whether a hyperparameter that is known already, with the same conditions, is replaced.
        """
        for given in hps.space if isinstance(hps, Answers) else hps:
            known = [one for one in self.space if (one.name, one.conditions) == (given.name, given.conditions)]
            if known and not overwrite:
                continue
            self.space = [one for one in self.space if one not in known] + [given]
            if self.is_active(given):
                self.values[given.name] = given.default

    def copy(self) -> Self:
        """Return an independent copy."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict):
                setattr(twin, name, value.copy())
        return twin

    def get_config(self) -> dict[str, Any]:
        """Return the hyperparameters and their values in KerasTuner's form."""
        return {"space": [to_config(known) for known in self.space], "values": dict(self.values)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the hyperparameters that ``get_config`` wrote.

        Args:
            config: What ``get_config`` returned, of this class or of KerasTuner's.
        """
        return cls.of(config["values"], [from_config(entry) for entry in config["space"]])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.values!r})"

    def _full_name(self, name: str) -> str:
        if not isinstance(name, str) or not name:
            raise ValueError(f"The name of a hyperparameter is {name!r}, but must be a text that is not empty.")
        return "/".join([*self._scopes, name])

    def _answer(self, declared: HyperParameter) -> Any:
        """Return the value of a hyperparameter, and remember that it was asked for; None if it is not active."""
        declared.location = _location()
        given = self._overrides.get(declared.name)
        if given is not None:
            declared = given.scoped(declared.conditions)
        if not any((known.key, known.conditions) == (declared.key, declared.conditions) for known in self.space):
            self.space.append(declared)
        if not self.is_active(declared):
            return None
        if given is None and not self._asks_all:
            return self.values.setdefault(declared.name, declared.default)
        earlier = self._asked.get(declared.name)
        if self._is_strict and earlier is not None and earlier.key != declared.key:
            raise ValueError(
                f"The hyperparameter {declared.name!r} is {earlier} at {earlier.location}, and {declared} at "
                f"{declared.location}: give one of them another name, or both the same values."
            )
        if self._late and declared.name not in self._asked:
            self._take_late(declared)
        self._asked.setdefault(declared.name, declared)
        if declared.name not in self.values:
            self.values[declared.name] = declared.default if self._choose is None else self._choose(declared)
        return self.values[declared.name]

    def _take_late(self, declared: HyperParameter) -> None:
        for name in late_names(declared.name):
            if name in self._late and declared.can_have(self._late[name]):
                self.values.pop(name, None)
                self.values[declared.name] = declared.original(self._late.pop(name))
                return


def _location() -> str:
    """Return the file and line of the code that asks, outside of this module."""
    frame = sys._getframe(1)  # noqa: SLF001 - the documented way to the caller's line
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_ROOM):
        if frame.f_back is None:
            return ""
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
