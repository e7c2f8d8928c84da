"""Checks before the first epoch, which else would be lost: the form of the validation split, and labels of sources."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Hashable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np

from trainables.data.kinds import Kind, is_source, kind_of
from trainables.data.nested import leaves
from trainables.fit_options import FitOptions
from trainables.input.sources.read_checks import ANY_LABELS, LabelRules, mistakes_as_read
from trainables.input.sources.source_inputs import own_copy
from trainables.internals.global_state import remember_global_state
from trainables.reuse.input_cache import InputCache
from trainables.settings import InvalidTrainable
from trainables.training.data_checks import check_inputs, declared_inputs
from trainables.training.model import first_examples

LONGEST_LOOK_S = 10.0
"""Seconds for which the labels of a validation source are read; those that come later are met in the first epoch."""

SHORTEST_LOOK_S = 2.0
"""Seconds for which the labels of a ``PyDataset`` to train on are read; the others are checked as they are read.
So long, too, labels to validate on are looked at which may be any number."""

_STRIDE = 16  # neighbours are alike: every sixteenth batch comes first

_LOG = logging.getLogger(__name__)
_JUDGING = ("test_step", "compute_loss")

Checked = MutableMapping[Hashable, Any]


def check_sources(
    model: Any, example: Any, inputs: InputCache, validation: Any, options: FitOptions, rules: LabelRules, made: Checked
) -> None:
    """Check that a model can be validated as it is trained, and look at labels of sources.

    A split that looks like the one to train on is not tried. Another one is, with one example.

    Args:
        model: A compiled ``keras.Model``. If it has its inputs from its first batch, it has not seen one yet: it may be
            validated on batches of another length.
        example: An example (x, y, …) of the training split, with its axis of examples.
        inputs: The data of the trial.
        validation: The input that the model is validated on; None where there is none.
        options: The number of examples per batch of the validation split, if it is a source of single examples.
        rules: The labels that the model can be trained on.
        made: What a worker knows already of its data, which this completes.

    Raises:
        InvalidTrainable: The validation split does not fit the model, or a label is missing or outside of the classes.
    """
    _look_at_training(inputs.data.train, rules, made)
    if validation is None:
        return
    other = inputs.validation_example(model, options.validation_batch_size)
    if other is None:
        return  # it is empty, which the first epoch tells
    check_inputs(model, other[0], "Data.validation")
    is_judged_by_keras = all(getattr(type(model), step) is getattr(keras.Model, step) for step in _JUDGING)
    if model.loss is not None and is_judged_by_keras:
        _check_form(model, example, other)
    if is_source(inputs.data.validation):
        longest_s = SHORTEST_LOOK_S if rules.highest is None else LONGEST_LOOK_S
        _look_at_labels("Data.validation", _batches(validation.for_epoch(0)), rules, longest_s, made)


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


def _look_at_training(split: Any, rules: LabelRules, checked: Checked) -> None:
    """Look at labels of a ``PyDataset`` to train on, here and there. Other sources are checked as they are read only.

    They would draw other random numbers if they had been read before. So would a ``PyDataset``: a copy of it is read.
    """
    is_known = rules == ANY_LABELS or ("Data.train", rules) in checked
    if is_known or kind_of(split) is not Kind.PY_DATASET or split.num_batches is None:
        return
    source, count = own_copy(split), split.num_batches
    if source is not split:
        order = [index for first in range(_STRIDE) for index in range(first, count, _STRIDE)]
        _look_at_labels("Data.train", (source[index] for index in order), rules, SHORTEST_LOOK_S, checked)


def _look_at_labels(owner: str, batches: Iterator[Any], rules: LabelRules, longest_s: float, checked: Checked) -> None:
    """Read the labels of a source, once a worker: a wrong one would be met later, after much training."""
    if rules == ANY_LABELS or (owner, rules) in checked:
        return
    begin_s = time.monotonic()
    with _reading_unnoticed(), mistakes_as_read():
        for batch in batches:
            if not rules.check_batch(owner, tuple(batch) if isinstance(batch, list) else batch):
                break
            if time.monotonic() - begin_s > longest_s:
                _LOG.info("The labels of %s were read for %g s, and not to their end", owner, longest_s)
                break
    checked[owner, rules] = True


def _batches(batches: Any) -> Iterator[Any]:
    if isinstance(batches, keras.utils.PyDataset):
        return (batches[index] for index in range(batches.num_batches))
    return iter(batches)


@contextmanager
def _reading_unnoticed() -> Iterator[None]:
    """Leave the global generators as they are: a source may draw from them, and its training part, too."""
    put_back: Callable[[], None] = remember_global_state()
    with ExitStack() as stack:
        if "torch" in sys.modules:
            stack.enter_context(sys.modules["torch"].random.fork_rng(devices=[]))
        stack.callback(put_back)
        yield
