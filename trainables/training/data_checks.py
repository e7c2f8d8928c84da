"""Checks of the data against the model that is going to be trained on it, before the first epoch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, MutableMapping, Sequence
from typing import Any

import keras
import numpy as np

from trainables.data import Data
from trainables.data.kinds import is_source
from trainables.data.labels import count_missing
from trainables.data.nested import leaves, length
from trainables.fit_options import FitOptions
from trainables.input.examples import fixed_batch_size, rest_of_batches
from trainables.input.sources.read_checks import BINARY, SPARSE, LabelRules, missing, range_of
from trainables.settings import InvalidTrainable

_JUDGING = ("train_step", "test_step", "compute_loss")


def check_data(
    model: Any, example: Any, data: Data, options: FitOptions, checked: MutableMapping[Hashable, Any]
) -> LabelRules:
    """Check that a model can take the inputs of the data, and that its loss knows labels in arrays.

    Args:
        model: A compiled ``keras.Model``.
        example: An example (x, y, …) of the training split, with its axis of examples.
        data: The data of the trial.
        options: The weights of single examples, if there are any.
        checked: What a worker knows already of labels that it has looked at, which this completes.

    Returns:
        The labels that the loss takes, by which those of sources are checked when they are read.

    Raises:
        InvalidTrainable: The model has other inputs, or a label is missing, or lies outside of the classes.
    """
    check_inputs(model, example[0])
    rules = label_rules(model)
    _check_labels(rules, data, options, checked)
    return rules


def check_batches(model: Any, batch_size: int, data: Data, options: FitOptions) -> None:
    """Check that the splits consist of whole batches, if the model takes batches of one size only.

    Args:
        model: A compiled ``keras.Model``.
        batch_size: Examples per batch.
        data: The data of the trial.
        options: The number of batches of an epoch.

    Raises:
        InvalidTrainable: They do not.
    """
    size = fixed_batch_size(model)
    if size is None:
        return
    problems = []
    if not is_source(data.train):
        if batch_size != size:
            problems.append(
                f"The model has a stateful layer and takes batches of exactly {size} examples, but the batch_size is "
                f"{batch_size}: set batch_size = {size} in the trainable."
            )
        if options.steps_per_epoch is None:
            problems.append(rest_of_batches("Data.train", length(data.train), size) or "")
    if data.validation is not None and not is_source(data.validation) and options.validation_steps is None:
        problems.append(rest_of_batches("Data.validation", length(data.validation), size) or "")
    if any(problems):
        raise InvalidTrainable(" ".join(filter(None, problems)))


def check_inputs(model: Any, x: Any, split: str = "Data.train") -> None:
    """Check that a model can take the inputs of the data. Only what Keras surely refuses is an error.

    Args:
        model: A compiled ``keras.Model``. One without declared inputs takes anything.
        x: The inputs of an example, with its axis of examples.
        split: The name of the split that it is from.

    Raises:
        InvalidTrainable: The model has other inputs, or an input has another shape.
    """
    wanted = declared_inputs(model)
    if not wanted:
        return
    if isinstance(x, Mapping):
        names = list(model.input) if isinstance(model.input, Mapping) else list(wanted)
        if len(names) > 1 and (missing := [name for name in names if name not in x]):
            raise InvalidTrainable(
                f"The model has the inputs {', '.join(map(str, names))}, but {split} has {', '.join(map(str, x))}: "
                f"{', '.join(map(str, missing))} is missing. Give each input the name of its column, "
                "keras.Input(…, name=…)."
            )
        by_name = model.input if isinstance(model.input, Mapping) else None
        shapes: Mapping[str, Any] = wanted
        if by_name is not None:
            shapes = {name: getattr(by_name[name], "shape", None) for name in names}
        pairs = [(x[name], name, shapes[name]) for name in names if name in x and shapes[name] is not None]
    else:
        given = list(leaves(x))
        if len(given) != len(wanted):
            raise InvalidTrainable(
                f"The model has {_inputs(len(wanted))}, but x of {split} has {_inputs(len(given))}: a model with "
                "several inputs needs a tuple, list or dict of as many."
            )
        pairs = [(part, name, shape) for part, (name, shape) in zip(given, wanted.items(), strict=True)]
    for part, name, shape in pairs:
        size = getattr(part, "shape", None)
        if size is not None and getattr(size, "rank", 0) is not None and not _fits(tuple(size), shape):
            raise InvalidTrainable(
                f"The input {name} of the model takes examples of shape {_without_examples(shape)}, but those of "
                f"{split} have {_without_examples(tuple(size))}."
            )


def _check_labels(rules: LabelRules, data: Data, options: FitOptions, checked: MutableMapping[Hashable, Any]) -> None:
    """Check that labels in arrays are such that the loss knows them. A loss of the user's own may know any.

    Labels of a source are checked elsewhere: those to validate on before the first epoch, the others as they are read.
    """
    for name, split in (("train", data.train), ("validation", data.validation)):
        if split is None or is_source(split):
            continue
        labels = list(leaves(split[1]))
        if rules.forbids_missing:
            _check_text(name, labels)
            _check_missing(name, sum(_kept(checked, "missing", array, count_missing) for array in labels))
        is_weighted = len(split) == 3 or (name == "train" and options.sample_weight is not None)
        if len(labels) == 1 and labels[0].dtype.kind in "biuf" and rules.limits(is_weighted=is_weighted):
            rules.check_range(f"Data.{name}", *_kept(checked, "range", labels[0], range_of))


def _kept(
    checked: MutableMapping[Hashable, Any], what: str, array: np.ndarray, look: Callable[[np.ndarray], Any]
) -> Any:
    """Return what a look at an array shows: a worker looks once, because all of its trials share the array."""
    key = (what, id(array))
    if key not in checked:
        checked[key] = array, look(array)  # the array is kept, so that no other one gets its identity
    return checked[key][1]


def label_rules(model: Any) -> LabelRules:
    """Return the labels that the loss of a model takes.

    Args:
        model: A compiled ``keras.Model``.
    """
    forbids_missing, loss = _has_only_losses_of_keras(model), _loss_name(model.loss)
    classes = getattr(model, "output_shape", None)
    classes = classes[-1] if isinstance(classes, tuple) and isinstance(classes[-1], int) else None
    highest = 1 if loss == BINARY else None if classes is None else classes - 1
    if loss not in (SPARSE, BINARY) or getattr(model.loss, "ignore_class", None) is not None or highest is None:
        return LabelRules(forbids_missing=forbids_missing)
    return LabelRules(loss, highest, forbids_missing)


def _check_text(name: str, labels: Sequence[np.ndarray]) -> None:
    """Check that the labels are not all text, where the losses are Keras's, which need numbers."""
    texts = [array for array in labels if array.dtype.kind in "OSU" and array.size]
    if texts and len(texts) == len(labels):
        raise InvalidTrainable(
            f"The labels of Data.{name} are text, such as {texts[0].flat[0]!r:.60}, but a loss of Keras needs numbers: "
            "number the classes, such as by np.unique(y, return_inverse=True)[1]."
        )


def _check_missing(name: str, count: int) -> None:
    """Check that no label is NaN, where the losses are Keras's: those of a user's own may pass over such labels."""
    if count:
        raise InvalidTrainable(missing(f"Data.{name}", count))


def _has_only_losses_of_keras(model: Any) -> bool:
    """Return whether Keras's own losses judge a model, in Keras's own steps."""
    losses = [loss for loss in leaves(model.loss) if loss is not None] if model.loss is not None else []
    has_own_step = any(getattr(type(model), step) is not getattr(keras.Model, step) for step in _JUDGING)
    return bool(losses) and not has_own_step and all(map(_is_kerass_own, losses))


def _loss_name(loss: Any) -> str:
    """Return the name of a loss of Keras's own; "" for any other."""
    if not _is_kerass_own(loss):
        return ""
    if isinstance(loss, str) and loss.lower() in ("bce", BINARY):
        return BINARY
    return str(loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", ""))


def _is_kerass_own(loss: Any) -> bool:
    """Return whether a loss is one of Keras's, by its name, as a function, or as an object of a class of Keras."""
    if isinstance(loss, str):
        return loss not in keras.saving.get_custom_objects()
    owner = loss if hasattr(loss, "__name__") else type(loss)
    return str(getattr(owner, "__module__", "")).partition(".")[0] == "keras"


def declared_inputs(model: Any) -> dict[str, tuple[int | None, ...]]:
    """Return the shapes of the inputs that a model of layers declares, by their names, in their order."""
    if not isinstance(model, keras.Sequential | keras.Model) or not getattr(model, "built", False):
        return {}
    try:
        return {str(tensor.name): tuple(tensor.shape) for tensor in model.inputs or ()}
    except (AttributeError, ValueError):
        return {}  # a subclass of keras.Model


def _fits(shape: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        return True  # Keras adds the axis
    if len(shape) == len(wanted) + 1 and shape[-1] == 1:
        return True  # Keras removes it
    sizes = zip(shape[1:], wanted[1:], strict=False)
    return len(shape) == len(wanted) and all(size == other or None in (size, other) for size, other in sizes)


def _without_examples(shape: tuple[Any, ...]) -> str:
    return str(shape[1:])


def _inputs(count: int) -> str:
    return f"{count} {'input' if count == 1 else 'inputs'}"
