"""The values of parameters as positions on axes: numbers (logarithms where the space is logarithmic), or categories."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.parameters import Float, Int

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search_spaces import SearchSpace, Slot

_ABSENT = object()


@dataclass(frozen=True, eq=False)
class ParameterAxis:
    """One value of the configurations as an axis.

    Attributes:
        label: The label of the slot, such as ``units_1``: the leaderboard's column.
        name: The name of the parameter, such as ``units``.
        categories: The texts of the values, if the axis has no numbers; the position is an index among them.
        is_log: Whether the positions are logarithms to base 10.
        positions: The position of each trial, float64, (trials,); NaN where the parameter is not active.
        is_whole: Whether the positions are whole numbers: those of integers.
    """

    label: str
    name: str
    categories: tuple[str, ...] | None
    is_log: bool
    positions: NDArray[np.float64]
    is_whole: bool = False

    @property
    def span(self) -> float:
        """The distance between the lowest and the highest position; 0 if there is none."""
        known = self.positions[self.active]
        return float(known.max() - known.min()) if len(known) else 0.0

    @property
    def active(self) -> NDArray[np.bool_]:
        """The trials in which the parameter is active, bool, (trials,)."""
        import numpy as np

        return ~np.isnan(self.positions)

    def value_at(self, position: float) -> float:
        """Return the number at a position: the position itself, or ten to the power of it."""
        return 10.0**position if self.is_log else position

    @property
    def values(self) -> list[Any]:
        """The value of each trial: a number, the text of a category, or None where the parameter is not active."""
        return [None if math.isnan(position) else self._value(position) for position in self.positions.tolist()]

    def _value(self, position: float) -> Any:
        return self.value_at(position) if self.categories is None else self.categories[int(position)]


def parameter_axes(space: SearchSpace, configs: Sequence[Mapping[str, Any]]) -> list[ParameterAxis]:
    """Return an axis for each value in which the configurations differ, in declaration order.

    A parameter that is active in some trials only makes an axis as well, even if its value is always the same.

    Args:
        space: The search space.
        configs: The configurations of the trials.
    """
    axes = [_axis(slot, [_value_of(slot, config) for config in configs]) for slot in space.slots()]
    return [axis for axis in axes if axis is not None]


def value_label(value: Any) -> str:
    """Return the text that stands for a value on an axis of categories."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _axis(slot: Slot, values: Sequence[Any]) -> ParameterAxis | None:
    import numpy as np

    present = [value for value in values if value is not _ABSENT]
    if not present or (len({value_label(value) for value in present}) < 2 and len(present) == len(values)):
        return None
    if isinstance(slot.parameter, Int | Float) and all(_is_number(value) for value in present):
        is_log = slot.parameter.log and all(value > 0 for value in present)
        numbers = [math.nan if value is _ABSENT else float(value) for value in values]
        positions = np.log10(numbers) if is_log else np.array(numbers)
        is_whole = isinstance(slot.parameter, Int) and not is_log
        return ParameterAxis(slot.label, slot.name, None, is_log, positions, is_whole)
    known = [value_label(value) for value in slot.parameter.grid() or ()] if not _is_range(slot) else []
    labels = sorted({value_label(value) for value in present})
    names = [*dict.fromkeys(name for name in known if name in labels), *(name for name in labels if name not in known)]
    indices = {name: index for index, name in enumerate(names)}
    positions = np.array([math.nan if value is _ABSENT else indices[value_label(value)] for value in values], float)
    return ParameterAxis(slot.label, slot.name, tuple(names), False, positions)


def _is_range(slot: Slot) -> bool:
    return isinstance(slot.parameter, Int | Float)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300


def _value_of(slot: Slot, config: Mapping[str, Any]) -> Any:
    value = config.get(slot.name, _ABSENT)
    for index in slot.index:
        if not isinstance(value, list | tuple) or index >= len(value):
            return _ABSENT
        value = value[index]
    if value is None and slot.parameter.problem_with(None) is not None:
        return _ABSENT  # an element of a list that is not active
    return value
