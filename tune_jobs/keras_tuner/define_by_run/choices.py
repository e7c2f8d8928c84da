"""The hyperparameters with listed values: Choice, Boolean and Fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import search_spaces
from search_spaces import InvalidDeclaration
from search_spaces.json_values import identity
from tune_jobs.keras_tuner.define_by_run.parameter import HyperParameter, Parent, plain


class Choice(HyperParameter):
    """One of the listed values, which may be of several types, None and booleans among them."""

    KIND = "Choice"

    def __init__(
        self,
        name: str,
        values: Sequence[Any],
        ordered: bool | None = None,
        default: Any = None,
        conditions: Sequence[Parent] = (),
    ) -> None:
        super().__init__(name, default, conditions)
        listed = list(values)
        distinct = {identity(plain(value)): value for value in reversed(listed)}
        self.values = [value for value in listed if distinct.get(identity(plain(value))) is value]
        try:
            self.parameter = search_spaces.Choice(*(plain(value) for value in self.values))
        except InvalidDeclaration as error:
            raise ValueError(f"hp.Choice({name!r}): {' '.join(error.problems)}") from error
        is_of_numbers = all(type(value) in (int, float) for value in self.values)
        if ordered and not is_of_numbers:
            raise ValueError(
                f"hp.Choice({name!r}): The value of `ordered` is True, but must be False unless all values are numbers."
            )
        self.ordered = is_of_numbers if ordered is None else bool(ordered)
        if default is not None and not self.can_have(default):
            raise ValueError(
                f"hp.Choice({name!r}): The value of `default` is {default!r}, but must be one of {self.values!r}."
            )

    @property
    def default(self) -> Any:
        """The value of the first build: None if it is one of the values, else the first."""
        if self._default is not None:
            return self._default
        return None if any(value is None for value in self.values) else self.values[0]

    def original(self, value: Any) -> Any:
        """Return the value as it was listed."""
        index = self.parameter.index_of(plain(value))
        return value if index is None else self.values[index]

    def _arguments(self) -> dict[str, Any]:
        return {"values": self.values, "ordered": self.ordered}

    def __repr__(self) -> str:
        return f"Choice(name: '{self.name}', values: {self.values}, ordered: {self.ordered}, default: {self.default})"


class Boolean(HyperParameter):
    """False or True."""

    KIND = "Boolean"

    def __init__(self, name: str, default: bool = False, conditions: Sequence[Parent] = ()) -> None:
        super().__init__(name, default, conditions)
        if default not in (True, False):
            raise ValueError(f"hp.Boolean({name!r}): The value of `default` is {default!r}, but must be True or False.")
        self.parameter = search_spaces.Boolean()
        self.values = [True, False]

    @property
    def default(self) -> bool:
        """The value of the first build."""
        return bool(self._default)

    def _arguments(self) -> dict[str, Any]:
        return {}

    def __repr__(self) -> str:
        return f'Boolean(name: "{self.name}", default: {self.default})'


class Fixed(HyperParameter):
    """A single value."""

    KIND = "Fixed"

    def __init__(self, name: str, value: Any, default: Any = None, conditions: Sequence[Parent] = ()) -> None:
        super().__init__(name, default, conditions)
        self.value = value
        self.values = [value]
        try:
            self.parameter = search_spaces.Fixed(plain(value))
        except InvalidDeclaration as error:
            raise ValueError(f"hp.Fixed({name!r}): {' '.join(error.problems)}") from error

    @property
    def default(self) -> Any:
        """The value."""
        return self.value

    def original(self, value: Any) -> Any:  # noqa: ARG002 - there is only one
        """Return the value as it was given."""
        return self.value

    def _arguments(self) -> dict[str, Any]:
        return {"value": self.value}

    def get_config(self) -> dict[str, Any]:
        """Return the declaration in KerasTuner's form, which tells no default."""
        config = super().get_config()
        del config["default"]
        return config

    def __repr__(self) -> str:
        return f"Fixed(name: {self.name}, value: {self.value})"
