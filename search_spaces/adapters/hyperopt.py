"""A space in HyperOpt's terms: one flat distribution for each slot, and the way there and back.

There is no nested ``hp.choice``. HyperOpt's TPE models every label by itself. The tree of Bergstra et al. (2011,
"Algorithms for Hyper-Parameter Optimization") does no more than this: it estimates the densities of a node from only
those observations in which the node was active. If TPE gets, for each trial, exactly the labels that were active
(``encode``), it has the same observations, and hence the same estimator. Its proposals for labels that turn out to be
inactive are ignored (``decode``); the tree would not have drawn them.

The number of a label is the value itself for a range without steps, and an index of the grid for all other parameters.
HyperOpt's own quantisation knows only multiples of a step, which loses bounds and distorts frequencies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from search_spaces.parameters import Float, Int, Parameter
from search_spaces.slots import Slot
from search_spaces.space import Config, SearchSpace


def to_hyperopt(space: SearchSpace) -> dict[str, Any]:
    """Return a HyperOpt expression for every slot that has more than one value, by label."""
    return {slot.label: _expression(slot) for slot in space.slots() if slot.parameter.size != 1}


def decode(space: SearchSpace, proposal: Mapping[str, float]) -> Config:
    """Return the configuration that a proposal stands for.

    Args:
        space: A valid space.
        proposal: A number for each label. Numbers for inactive labels are ignored.

    Raises:
        ValueError: The number for an active label is missing.
    """

    def choose(slot: Slot) -> Any:
        if slot.parameter.size == 1:
            return (slot.parameter.grid() or ())[0]
        if slot.label not in proposal:
            raise ValueError(f"The proposal has no number for `{slot.label}`, which is active.")
        return nearest_value(slot.parameter, proposal[slot.label])

    return space.assemble(choose)


def encode(space: SearchSpace, config: Config) -> dict[str, float]:
    """Return the numbers of the active labels, as TPE has to see them; ``decode`` is the inverse.

    Args:
        space: A valid space.
        config: A configuration of the space.

    Raises:
        ValueError: It is not a configuration of the space.
    """
    values = space.flatten(config)
    return {
        slot.label: _number(slot.parameter, values[slot.label])
        for slot in space.slots()
        if slot.label in values and slot.parameter.size != 1
    }


def _expression(slot: Slot) -> Any:
    """Return the slot's distribution; each whole number owns the interval of 0.5 on either side."""
    from hyperopt import hp  # imported when needed: a space can be declared and sampled without HyperOpt

    match slot.parameter:
        case Int(lower, upper, None, False):
            return hp.quniform(slot.label, lower - 0.5, upper + 0.5, 1)
        case Int(lower, upper, None, True):
            return hp.qloguniform(slot.label, math.log(lower - 0.5), math.log(upper + 0.5), 1)
        case Float(lower, upper, None, True) if math.log(lower) < math.log(upper):
            return hp.loguniform(slot.label, math.log(lower), math.log(upper))
        case Float(lower, upper, None):
            return hp.uniform(slot.label, lower, upper)
        case (Int() | Float()) as stepped:
            return hp.quniform(slot.label, -0.5, (stepped.size or 1) - 0.5, 1)
        case unordered:
            return hp.randint(slot.label, unordered.size)


def nearest_value(parameter: Parameter, number: float) -> Any:
    """Return the parameter's value nearest to a number: HyperOpt may round beyond the ends."""
    match parameter:
        case Int(lower, upper, None):
            return min(max(round(number), lower), upper)
        case Float(lower, upper, None):
            return float(min(max(number, lower), upper))
    grid = parameter.grid() or ()
    return grid[min(max(round(number), 0), len(grid) - 1)]


def _number(parameter: Parameter, value: Any) -> float:
    """Return the number that stands for a value; categories are ints, because TPE counts them."""
    match parameter:
        case Int(step=None) | Float(step=None):
            return float(value)
        case Int() | Float():
            return float(_grid_index(parameter, value))
    return _grid_index(parameter, value)


def _grid_index(parameter: Parameter, value: Any) -> int:
    index = parameter.index_of(value)
    if index is None:
        raise ValueError(f"The value {parameter.problem_with(value)}.")
    return index
