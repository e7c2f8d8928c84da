"""Checks of the validation split before the first epoch, which else would be lost: its form, and labels of a source."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Hashable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np

from trainables.data.kinds import is_source
from trainables.data.nested import leaves
from trainables.internals.global_state import remember_global_state
from trainables.reuse.input_cache import InputCache
from trainables.settings import InvalidTrainable
from trainables.training.data_checks import BINARY, check_inputs, declared_inputs, label_limits, range_of
from trainables.training.model import first_examples

LONGEST_LOOK_S = 10.0
"""Seconds for which the labels of a validation source are read; those that come later are met in the first epoch."""

_LOG = logging.getLogger(__name__)
_JUDGING = ("test_step", "compute_loss")

Checked = MutableMapping[Hashable, Any]


def check_validation(
    model: Any, example: Any, inputs: InputCache, validation: Any, batch_size: int, checked: Checked
) -> None:
    """Check that a model can be validated as it is trained: with inputs, labels and classes that it knows.

    A split that looks like the one to train on is not tried. Another one is, with one example.

    Args:
        model: A compiled ``keras.Model``. If it has its inputs from its first batch, it has not seen one yet: it may be
            validated on batches of another length.
        example: An example (x, y, …) of the training split, with its axis of examples.
        inputs: The data of the trial.
        validation: The input that the model is validated on; None where there is none.
        batch_size: Examples per batch of it, if it is a source of single examples.
        checked: What a worker knows already of its data, which this completes.

    Raises:
        InvalidTrainable: The validation split does not fit the model, or a label lies outside of the classes.
    """
    if validation is None:
        return
    other = inputs.validation_example(model, batch_size)
    if other is None:
        return  # it is empty, which the first epoch tells
    check_inputs(model, other[0], "Data.validation")
    is_judged_by_keras = all(getattr(type(model), step) is getattr(keras.Model, step) for step in _JUDGING)
    if model.loss is not None and is_judged_by_keras:
        _check_form(model, example, other)
    if is_source(inputs.data.validation):
        _check_labels(model, validation, checked)


def _check_form(model: Any, example: Any, other: Any) -> None:
    """Check that labels, and inputs that no model declares, are those of the training split, or do as well."""
    if len(example) > 1 and len(other) < 2:
        raise InvalidTrainable(
            "Data.validation yields no labels, but Data.train does: both must yield (x, y), or (x, y, sample_weight)."
        )
    parts = {"inputs": 0, "labels": 1} if not declared_inputs(model) else {"labels": 1}
    differing = {
        name: (_form(example[part]), _form(other[part]))
        for name, part in parts.items()
        if part < min(len(example), len(other)) and not _are_alike(example[part], other[part])
    }
    if not differing:
        return
    try:
        _judge(model, example)
    except Exception:  # noqa: BLE001 - the first step tells it, in Keras's words
        return
    try:
        _judge(model, other)
    except Exception as error:
        told = "; ".join(
            f"its {name} are {now}, and those of Data.train {then}" for name, (then, now) in differing.items()
        )
        reason = (str(error).splitlines() or [""])[0]
        raise InvalidTrainable(
            f"Data.validation is not arranged as Data.train is, and the model cannot be validated on it: {told}. "
            f"{type(error).__name__}: {reason}"
        ) from error


def _judge(model: Any, example: Any) -> None:
    """Compute the loss of one example, as a validation does."""
    x, y, weight = keras.utils.unpack_x_y_sample_weight(keras.tree.map_structure(_as_tensor, first_examples(example)))
    model.compute_loss(x, y, model(x, training=False), weight, training=False)


def _as_tensor(part: Any) -> Any:
    return keras.ops.convert_to_tensor(part) if isinstance(part, np.ndarray) else part


def _are_alike(first: Any, second: Any) -> bool:
    try:
        keras.tree.assert_same_structure(keras.tree.lists_to_tuples(first), keras.tree.lists_to_tuples(second))
    except (TypeError, ValueError):
        return False
    return [_shape(part) for part in leaves(first)] == [_shape(part) for part in leaves(second)]


def _shape(part: Any) -> Any:
    shape = getattr(part, "shape", None)
    return None if shape is None or getattr(shape, "rank", 0) is None else tuple(shape)[1:]


def _form(arrays: Any) -> str:
    shapes = [str(_shape(part)) for part in leaves(arrays)]
    return f"of the shape {shapes[0]}" if len(shapes) == 1 else f"{len(shapes)} arrays of shapes {', '.join(shapes)}"


def _check_labels(model: Any, validation: Any, checked: Checked) -> None:
    """Read the labels of a source, once a worker: a wrong one would be met after a pass over the training data."""
    limits = label_limits(model)
    if limits is None or ("labels of validation", limits) in checked:
        return
    begin_s = time.monotonic()
    with _reading_unnoticed():
        for batch in _batches(validation.for_epoch(0)):
            _, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
            labels = list(leaves(y)) if y is not None else []
            if len(labels) != 1 or (weight is not None and limits.loss == BINARY):
                break
            values = _numbers(labels[0])
            if values is not None:
                limits.check("Data.validation", *range_of(values))
            if time.monotonic() - begin_s > LONGEST_LOOK_S:
                _LOG.info("The labels of Data.validation were read for %g s, and not to their end", LONGEST_LOOK_S)
                break
    checked["labels of validation", limits] = True


def _batches(batches: Any) -> Iterator[Any]:
    if isinstance(batches, keras.utils.PyDataset):
        return (batches[index] for index in range(batches.num_batches))
    return iter(batches)


def _numbers(labels: Any) -> np.ndarray | None:
    """Return labels as numbers; None where they are none."""
    labels = getattr(labels, "flat_values", labels)  # of a ragged tensor
    try:
        values = np.asarray(labels)
    except (TypeError, ValueError):
        return None
    return values if values.dtype.kind in "biuf" else None


@contextmanager
def _reading_unnoticed() -> Iterator[None]:
    """Leave the global generators as they are: a source may draw from them, and its training part, too."""
    put_back: Callable[[], None] = remember_global_state()
    with ExitStack() as stack:
        if "torch" in sys.modules:
            stack.enter_context(sys.modules["torch"].random.fork_rng(devices=[]))
        stack.callback(put_back)
        yield
