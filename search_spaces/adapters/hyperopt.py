"""A space in HyperOpt's terms: one flat distribution per slot, and the way there and back.

There is no nested `hp.choice`. HyperOpt's TPE models every label by itself, and the tree of Bergstra et al.
(2011, "Algorithms for Hyper-Parameter Optimization") does no more than this: the densities of a node are
estimated from those observations only in which the node was active. EventSink TPE, for each trial, the labels
that were active (`encode`) and nothing else gives it the same observations, hence the same estimator. What it
proposes for labels that turn out inactive is ignored (`decode`), as the tree would not have drawn them.

A label's number is a value of the parameter for unstepped ranges, and an index of its grid for all others:
HyperOpt's own quantisation knows only multiples of a step, which loses bounds and distorts frequencies.
"""

import math
from collections.abc import Mapping
from typing import Any

from search_spaces.parameters import Float, Int, Parameter
from search_spaces.slots import Slot
from search_spaces.space import SearchSpace


def to_hyperopt(space: SearchSpace) -> dict[str, Any]:
    """Return a HyperOpt expression for the label of every slot that has more than one value."""
    return {slot.label: _expression(slot) for slot in space.slots() if slot.parameter.size != 1}


def decode(space: SearchSpace, proposal: Mapping[str, float]) -> dict[str, Any]:
    """Return the configuration that a proposal of numbers by label stands for.

    Raises:
        ValueError: The number for an active label is missing.
    """

    def choose(slot: Slot) -> Any:
        if slot.parameter.size == 1:
            return (slot.parameter.grid() or ())[0]
        if slot.label not in proposal:
            raise ValueError(f"The proposal has no number for `{slot.label}`, which is active.")
        return _value(slot.parameter, proposal[slot.label])

    return space.assemble(choose)


def encode(space: SearchSpace, config: dict[str, Any]) -> dict[str, float]:
    """Return the numbers of the active labels: what TPE is told that it tried. `decode` is the inverse.

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
    """Return the slot's distribution; each whole number owns the half on either side of it."""
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


def _value(parameter: Parameter, number: float) -> Any:
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
            return float(_position(parameter, value))
    return _position(parameter, value)


def _position(parameter: Parameter, value: Any) -> int:
    position = parameter.position(value)
    if position is None:
        raise ValueError(f"The value {parameter.problem_with(value)}.")
    return position
