"""The arguments of ``search``, which are those of Keras's ``fit``: checked, and divided into data and options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainables import Data, InvalidData
from trainables.data.kinds import is_source, kind_of
from trainables.data.nested import is_sparse, length
from tune_jobs.keras_tuner.errors import FatalValueError

_DEFAULT_BATCH_SIZE = 32


@dataclass(frozen=True)
class FitArguments:
    """The arguments of a fit, without its data.

    Attributes:
        epochs: The number of epochs.
        batch_size: Examples per batch; None: 32, as in Keras.
        callbacks: The callbacks; each trial gets copies.
        class_weight: The weight of each class in the loss.
        validation_batch_size: Examples per validation batch; None: as many as are fast.
        steps_per_epoch, validation_steps: Batches per epoch; None: all.
        shuffle: Whether each epoch has the examples in an order of its own.
        verbose: 0: nothing is printed.
    """

    epochs: int = 1
    batch_size: int | None = None
    callbacks: Sequence[Any] = ()
    class_weight: Mapping[int, float] | None = None
    validation_batch_size: int | None = None
    steps_per_epoch: int | None = None
    validation_steps: int | None = None
    shuffle: bool = True
    verbose: Any = "auto"

    @property
    def batch(self) -> int:
        """The number of examples per batch."""
        return self.batch_size or _DEFAULT_BATCH_SIZE


@dataclass(frozen=True)
class FitRequest:
    """The arguments of a fit.

    Attributes:
        arguments: The arguments without the data.
        data: The data.
    """

    arguments: FitArguments
    data: Data = field(repr=False)


def _fit(  # the signature of keras.Model.fit
    x: Any = None,
    y: Any = None,
    batch_size: Any = None,
    epochs: Any = 1,
    verbose: Any = "auto",
    callbacks: Any = None,
    validation_split: Any = 0.0,
    validation_data: Any = None,
    shuffle: Any = True,
    class_weight: Any = None,
    sample_weight: Any = None,
    initial_epoch: Any = 0,
    steps_per_epoch: Any = None,
    validation_steps: Any = None,
    validation_batch_size: Any = None,
    validation_freq: Any = 1,
) -> None: ...


_SIGNATURE = inspect.signature(_fit)

_DEFAULTS_ONLY = {
    "initial_epoch": (0, "a search begins with epoch 0"),
    "validation_freq": (1, "each epoch is validated, because trials are judged by their epochs"),
}


_NOT_BESIDE_SOURCES = {
    "y": "brings its labels",
    "batch_size": "brings its batches",
    "sample_weight": "brings its weights",
    "validation_split": "cannot be divided",
}


def bound(args: Sequence[Any], kwargs: Mapping[str, Any], where: str = "search") -> dict[str, Any]:
    """Return all arguments of a fit by name, with their defaults.

    Args:
        args: The positional arguments.
        kwargs: The arguments by name.
        where: The name of the function that got them.

    Raises:
        TypeError: An argument is unknown, or was given twice.
    """
    unknown = [name for name in kwargs if name not in _SIGNATURE.parameters]
    if unknown:
        names = ", ".join(f"`{name}`" for name in unknown)
        raise TypeError(
            f"{where}() got {names}, but takes the arguments of keras.Model.fit: {', '.join(_SIGNATURE.parameters)}."
        )
    try:
        arguments = _SIGNATURE.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{where}(): {error}; it takes the arguments of keras.Model.fit.") from error
    arguments.apply_defaults()
    return dict(arguments.arguments)


def fit_request(given: Mapping[str, Any]) -> FitRequest:
    """Return the data and the options of a fit.

    Args:
        given: What ``bound`` returned.

    Raises:
        FatalValueError: A value is wrong, or is not supported; all mistakes are listed.
    """
    problems = _problems(given)
    if problems:
        raise FatalValueError("\n".join(problems))
    x, y, sample_weight = (given[name] for name in ("x", "y", "sample_weight"))
    train = x if is_source(x) else tuple(_arrays(part) for part in (x, y, sample_weight) if part is not None)
    validation = given["validation_data"]
    try:
        if isinstance(validation, list | tuple):
            validation = tuple(_arrays(part) for part in validation if part is not None)
        elif given["validation_split"]:
            train, validation = _divided(train, given["validation_split"])
        data = Data(train=train, validation=validation)
    except InvalidData as error:
        raise FatalValueError(
            "\n".join(
                problem.replace("Data.train", "x, y").replace("Data.validation", "validation_data")
                for problem in error.problems
            )
        ) from error
    return FitRequest(fit_arguments(given), data)


def fit_arguments(given: Mapping[str, Any]) -> FitArguments:
    """Return the options of a fit.

    Args:
        given: What ``bound`` returned.
    """
    return FitArguments(
        epochs=int(given["epochs"]),
        batch_size=None if given["batch_size"] is None else int(given["batch_size"]),
        callbacks=tuple(listed(given["callbacks"])),
        class_weight=given["class_weight"],
        validation_batch_size=given["validation_batch_size"],
        steps_per_epoch=given["steps_per_epoch"],
        validation_steps=given["validation_steps"],
        shuffle=bool(given["shuffle"]),
        verbose=given["verbose"],
    )


def listed(callbacks: Any) -> list[Any]:
    """Return callbacks as a list: one of them, several, or none."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


def option_problems(given: Mapping[str, Any]) -> list[str]:
    """Return all that is wrong with the options of a fit, a sentence each."""
    problems = [
        f"The value of `{name}` is {given[name]!r}, but must be {default!r}: {why}."
        for name, (default, why) in _DEFAULTS_ONLY.items()
        if given[name] is not default and given[name] != default
    ]
    for name in ("epochs", "batch_size", "validation_batch_size", "steps_per_epoch", "validation_steps"):
        value = given[name]
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 1
        if value is None and name != "epochs":
            continue
        if not is_whole:
            problems.append(f"The value of `{name}` is {value!r}, but must be a whole number >= 1.")
    return problems


def _problems(given: Mapping[str, Any]) -> list[str]:
    problems = option_problems(given)
    if given["x"] is None:
        return [*problems, "The value of `x` is None, but must be the training examples: search(x, y, …)."]
    for name in ("x", "validation_data"):
        if isinstance(given[name], Iterator):
            problems.append(
                f"The value of `{name}` is a {type(given[name]).__name__}, which is read once, but each epoch of each "
                "trial reads it: give the function that makes it, a keras.utils.PyDataset, or a tf.data.Dataset."
            )
    if is_source(given["x"]):
        problems += [
            f"The value of `{name}` was given beside `x`, which is {kind_of(given['x'])} and {why}: leave it out."
            for name, why in _NOT_BESIDE_SOURCES.items()
            if given[name] is not None and not (name == "validation_split" and not given[name])
        ]
    elif given["y"] is None and not problems:
        problems.append("The value of `y` is None, but must be the labels of `x`.")
    split = given["validation_split"]
    if split and not (isinstance(split, int | float) and 0 < split < 1):
        problems.append(f"The value of `validation_split` is {split!r}, but must be in (0, 1).")
    validation = given["validation_data"]
    is_split = isinstance(validation, list | tuple) and len(validation) in (2, 3)
    if validation is not None and not is_source(validation) and not is_split:
        problems.append(
            f"The value of `validation_data` is a {type(validation).__name__}, but must be (x, y) or "
            "(x, y, sample_weight)."
        )
    return problems


def _divided(train: tuple[Any, ...], fraction: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Divide examples as Keras does: the last ones are those to validate on, and nothing is shuffled."""
    import keras

    count = length(train)
    kept = int(np.floor(count * (1.0 - fraction)))
    if kept == 0 or kept == count:
        raise FatalValueError(
            f"The value of `validation_split` is {fraction}, but {count} examples cannot be divided so: both parts "
            "need one at least."
        )
    structures = (
        keras.tree.map_structure(lambda array: array[:kept], train),
        keras.tree.map_structure(lambda array: array[kept:], train),
    )
    return structures[0], structures[1]


def _arrays(value: Any) -> Any:
    """Return a value as arrays: tensors, frames and lists of numbers too; a list or dict of arrays stays one."""
    if isinstance(value, dict):
        return {name: _arrays(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        if value and all(hasattr(part, "shape") and len(part.shape) > 0 for part in value):
            return type(value)(_arrays(part) for part in value) if type(value) in (list, tuple) else value
        return np.asarray(value)
    if hasattr(value, "to_numpy"):
        return value.to_numpy()
    return value if isinstance(value, np.ndarray) or is_sparse(value) else np.asarray(value)
