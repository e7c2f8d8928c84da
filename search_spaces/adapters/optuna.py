"""A space in Optuna's terms: one suggestion for each active slot, so that conditions are Optuna's define-by-run.

The number of a slot is that of ``search_spaces.adapters.hyperopt``: the value itself for a range without steps, and an
index of the grid for all other parameters. So steps of all kinds, also logarithmic ones, are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search_spaces.adapters.hyperopt import encode, nearest_value
from search_spaces.parameters import Float, Int, Parameter
from search_spaces.slots import Slot
from search_spaces.space import Config, SearchSpace

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution


def suggest(space: SearchSpace, trial: Trial) -> Config:
    """Return the configuration that an Optuna trial suggests.

    Args:
        space: A valid space.
        trial: A running trial of Optuna, which is asked for each active slot, parents first.
    """

    def choose(slot: Slot) -> Any:
        if slot.parameter.size == 1:
            return (slot.parameter.grid() or ())[0]
        return nearest_value(slot.parameter, _suggested(trial, slot))

    return space.assemble(choose)


def to_optuna(space: SearchSpace, config: Config) -> tuple[dict[str, float], dict[str, BaseDistribution]]:
    """Return a configuration as Optuna's parameters, and their distributions, by the labels of the active slots.

    Args:
        space: A valid space.
        config: A configuration of the space.

    Raises:
        ValueError: It is not a configuration of the space.
    """
    numbers = encode(space, config)
    slots = {slot.label: slot.parameter for slot in space.slots()}
    return numbers, {label: _distribution(slots[label]) for label in numbers}


def _suggested(trial: Trial, slot: Slot) -> float:
    match slot.parameter:
        case Int(lower, upper, None, log):
            return trial.suggest_int(slot.label, lower, upper, log=log)
        case Float(lower, upper, None, log):
            return trial.suggest_float(slot.label, lower, upper, log=log)
        case (Int() | Float()) as stepped:
            return trial.suggest_int(slot.label, 0, (stepped.size or 1) - 1)
        case unordered:
            return trial.suggest_categorical(slot.label, range(unordered.size or 1))


def _distribution(parameter: Parameter) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match parameter:
        case Int(lower, upper, None, log):
            return IntDistribution(lower, upper, log=log)
        case Float(lower, upper, None, log):
            return FloatDistribution(lower, upper, log=log)
        case (Int() | Float()) as stepped:
            return IntDistribution(0, (stepped.size or 1) - 1)
        case unordered:
            return CategoricalDistribution(range(unordered.size or 1))
