"""The held-out examples that the gradient of the validation loss is measured on."""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from trainables.data import split
from trainables.data.nested import leaves, length
from trainables.data.put_together import take
from trainables.hypergradient.declaration import Hypergradient, split_problem
from trainables.input.tensors import as_tensor
from trainables.random_streams import RandomStream
from trainables.reuse.input_cache import InputCache
from trainables.settings import InvalidTrainable


class HeldOut:
    """Held-out examples, and their order.

    Args:
        tensors: (x, y) or (x, y, sample_weight) as tensors.
        examples: The number of examples of one measurement.
        seed: The seed of the order.

    Attributes:
        tensors: The tensors.
    """

    def __init__(self, tensors: Any, examples: int, seed: int) -> None:
        self.tensors = tensors
        self._available = len(keras.tree.flatten(tensors)[0])
        self._examples = min(examples, self._available)
        self._seed = seed
        self._order = (-1, np.arange(0))

    def rows(self, number: int) -> np.ndarray:
        """Return the indices of the examples of a measurement, a function of the seed and the measurement's number.

        All examples come once, and then again in another order.
        """
        per_pass = self._available // self._examples
        number, index = divmod(number, per_pass)
        if self._order[0] != number:
            generator = np.random.default_rng([self._seed, number, RandomStream.HYPERGRADIENT])
            self._order = number, generator.permutation(self._available)
        return self._order[1][index * self._examples : (index + 1) * self._examples]


def hold_out(
    declared: Hypergradient, inputs: InputCache, made: MutableMapping[Hashable, Any], seed: int
) -> tuple[InputCache, HeldOut]:
    """Return what a trial is trained on, and what is held out.

    Args:
        declared: Says which examples are held out.
        inputs: The data of the trial.
        made: What a worker keeps for its later trials: a share is set aside once.
        seed: The seed of the trial.

    Raises:
        InvalidTrainable: There is no such split, or it is a source.
    """
    if problem := split_problem(declared, inputs.data):
        raise InvalidTrainable(problem)
    examples = inputs.data.validation if declared.on == "validation" else inputs.data.train
    if declared.on == "validation":
        return inputs, HeldOut(inputs.tensors_of(examples), declared.examples, seed)
    key = ("hypergradient", declared.on)
    if not all(id(leaf) in inputs.kept for leaf in leaves(examples)):  # prepared for one trial
        rest, tensors = _set_aside(inputs, float(declared.on))
    else:
        rest, tensors = made[key] = made.get(key) or _set_aside(inputs, float(declared.on))
    return rest, HeldOut(tensors, declared.examples, seed)


def _set_aside(inputs: InputCache, share: float) -> tuple[InputCache, Any]:
    train = inputs.data.train
    numbers = np.arange(length(train))
    (kept, _), (held_out, _) = split(numbers, train[1], share)
    rest = InputCache(replace(inputs.data, train=take(train, np.sort(kept))))
    return rest, keras.tree.lists_to_tuples(keras.tree.map_structure(as_tensor, take(train, np.sort(held_out))))
