"""Compiled steps that gather their batches from the shared arrays, for models on a CPU.

Keras's loop reads batches from an iterator. They are made beside the loop, handed from thread to thread, and asked for
one by one. On TensorFlow that took a third to a half of the time of a small network's epoch, and most of what a first
epoch takes beyond a later one. Here the iterator only says which batches come next, and the loop gathers them itself.

How the parts work together: ``GatheringSteps`` replaces the two methods by which Keras makes its compiled steps, and
is fed with the ``GatheredInput`` of a trial. ``fit`` reads spans of batches (``BatchSpan``) from that input, and hands
them to the steps. The steps gather the batches of a span from the input's ``EpochRows``. The loop is the backend's:
``gathered_tensorflow`` and ``gathered_jax``. All names of Keras that this needs are public.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from importlib import import_module
from typing import Any

import keras
import numpy as np

from trainables.data.nested import Split, has_sparse
from trainables.devices.replicas import is_distributed
from trainables.input.compiled_jax import OPTIMISED, Compilation
from trainables.input.epoch_order import TrainingInput
from trainables.input.gathered_rows import BatchSpan, EpochRows
from trainables.input.pipeline import ToTensor

_STEPS = ("make_train_function", "make_test_function", "train_step", "test_step", "compute_metrics")
_LOOPS = {"tensorflow": "gathered_tensorflow", "jax": "gathered_jax"}


def can_gather(model: Any) -> bool:
    """Return whether a model's steps may gather their batches.

    They may on TensorFlow and on JAX, without a GPU, where the steps and the loop around them are Keras's own. A user
    who defines a step may count on Keras's loop, and for a GPU, batches are best made beside the loop.

    Args:
        model: A compiled ``keras.Model`` with all of its variables, whose steps are not made yet.
    """
    if keras.backend.backend() not in _LOOPS or model.run_eagerly or is_distributed():
        return False
    are_kerass_own = all(_is_kerass_own(model, name) for name in _STEPS)
    are_unmade = model.train_function is None and model.test_function is None
    return are_kerass_own and are_unmade and bool(_loop().can_loop(model))


def can_hold(split: Split) -> bool:
    """Return whether the backend can hold the arrays of a split: JAX has no strings, sparse matrices stay so."""
    return keras.backend.backend() in _LOOPS and not has_sparse(split) and bool(_loop().can_hold(split))


def _loop() -> Any:
    """Return the module of the backend's loop."""
    return import_module(f"trainables.input.{_LOOPS[keras.backend.backend()]}")


def _is_kerass_own(model: Any, method: str) -> bool:
    """Return whether a method exists, and neither the model nor its class has replaced it."""
    is_replaced = method in vars(model) or getattr(type(model), method, None) is not getattr(keras.Model, method, None)
    return hasattr(keras.Model, method) and not is_replaced


class GatheredInput(TrainingInput):
    """The input of a model with ``GatheringSteps``.

    Args:
        arrays: (x, y) or (x, y, sample_weight).
        batch_size: Examples per batch; the last batch of an epoch may be smaller.
        seed: Seed of the order of the examples.
        to_tensor: Makes a tensor of an array.
        steps_per_execution: Batches in a call into the backend.
        steps: Batches per epoch; None: all examples once.
        shuffled: Whether every epoch has an order of its own; else the examples come in their order in the arrays.

    Attributes:
        rows: The rows of the epoch that was requested last.
    """

    def __init__(
        self,
        arrays: Split,
        batch_size: int,
        seed: int,
        to_tensor: ToTensor,
        steps_per_execution: int,
        steps: int | None = None,
        *,
        shuffled: bool = True,
    ) -> None:
        super().__init__(arrays, batch_size, seed, None, steps, shuffled=shuffled)
        self._loop = _loop()
        tensors = keras.tree.lists_to_tuples(keras.tree.map_structure(to_tensor, arrays))  # as `fit` does with lists
        order = np.arange(self.examples)
        self.rows = EpochRows(self._loop.scalar(batch_size), self._loop.indices(order), tensors)
        starts = np.arange(0, self.steps, steps_per_execution)
        spans = BatchSpan(starts, np.minimum(starts + steps_per_execution, self.steps))
        self._spans = self._loop.spans(spans, self.steps)

    @property
    def spec(self) -> str:
        """Types and shapes of the arrays, without the batch size: the steps do not depend on it."""
        tensors = keras.tree.flatten(self.rows.arrays)
        return str([(tensor.dtype.name, *tensor.shape) for tensor in tensors])

    def for_epoch(self, epoch: int) -> Any:
        """Return the spans of an epoch (counted from 0); ``rows`` are those of that epoch from now on."""
        if self.shuffled or self._goes_on:
            self.rows = self.rows._replace(order=self._loop.indices(self.order(epoch)))
        return self._spans


class GatheringSteps:
    """The steps of a model, compiled once: their input may be exchanged, and with it the batch size.

    Args:
        model: A compiled model that ``can_gather``. If it reads from another iterator, in a callback for
            example, Keras's own steps are used.
        traces: Returns what the traces of the steps depend on; None where nobody knows. Models with equal ones may be
            trained together, by lanes.
        compilation: How hard JAX compiles them.
    """

    def __init__(
        self,
        model: Any,
        traces: Callable[[], Hashable | None] = lambda: None,
        *,
        compilation: Compilation = OPTIMISED,
    ) -> None:
        self._inputs: tuple[Any, Any] = (None, None)
        of_jax: dict[str, Any] = {"traces": traces, "compilation": compilation}
        options = of_jax if keras.backend.backend() == "jax" else {}
        _replace_maker(model, "train", lambda: self._inputs[0].rows, options)
        _replace_maker(model, "test", lambda: self._inputs[1].rows, options)

    def feed(self, training: Any, validation: Any) -> None:
        """Let the steps gather from these inputs from now on; an input that is no ``GatheredInput`` is never used."""
        self._inputs = (training, validation)


def _replace_maker(model: Any, kind: str, rows: Callable[[], EpochRows], options: dict[str, Any]) -> None:
    """Replace ``make_train_function`` or ``make_test_function``, which Keras calls before it runs a step."""
    maker_name, function_name = f"make_{kind}_function", f"{kind}_function"
    step, make_keras_function = getattr(model, f"{kind}_step"), getattr(model, maker_name)

    def make(force: bool = False) -> Any:
        if getattr(model, function_name) is None or force:
            make_keras_function(force=True)
            function = _loop().make_function(model, step, rows, getattr(model, function_name), **options)
            setattr(model, function_name, function)
        return getattr(model, function_name)

    setattr(model, maker_name, make)
