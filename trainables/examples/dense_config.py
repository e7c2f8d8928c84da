"""The rules for the configuration of a ``Dense``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from trainables.settings import InvalidTrainable

OPTIMIZERS = {
    "adam": ("Adam", "beta_1"),
    "adagrad": ("Adagrad", None),
    "rmsprop": ("RMSprop", "momentum"),
    "sgd": ("SGD", "momentum"),
}
"""The class of Keras by its name here, and its argument for the decay of averaged gradients, if it has one."""


def checked_config(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with a default for every missing key, and without its ``batch_size``.

    Args:
        config: Values of some of the keys.
        defaults: Every key, with its default.

    Raises:
        InvalidTrainable: A key is unknown. The space has this key, so every trial would fail alike.
        ValueError: Values break their rules; the message lists all of them.
    """
    given = {name: value for name, value in config.items() if name != "batch_size"}
    unknown = [name for name in given if name not in defaults]
    if unknown:
        raise InvalidTrainable(
            f"The configuration has the unknown {', '.join(map(repr, unknown))}, but its keys must be among "
            f"{', '.join(defaults)} and batch_size: rename it in the space."
        )
    chosen = {**defaults, **given}
    problems = [
        f"The value of `{name}` is {value!r}, but must be {_RULES[name][1]}."
        for name, value in chosen.items()
        if name in _RULES and not _RULES[name][0](value)
    ]
    if not problems and chosen["momentum"] is not None and OPTIMIZERS[chosen["optimizer"]][1] is None:
        problems = [
            f"The value of `momentum` is {chosen['momentum']!r}, but {chosen['optimizer']} has none: leave it out."
        ]
    if problems:
        raise ValueError("\n".join(problems))
    return chosen


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_not_negative(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_part(value: Any) -> bool:
    return _is_number(value) and 0 <= value < 1


def _is_units(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_count, value))


def _is_one_of(values: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def _or_none(rule: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or rule(value)


def _is_activation(value: Any) -> bool:
    import keras

    return _is_known(value, keras.activations.get)


def _is_loss(value: Any) -> bool:
    import keras

    return _is_known(value, keras.losses.get)


def _is_known(name: Any, get: Callable[[Any], Any]) -> bool:
    if not isinstance(name, str):
        return False
    try:
        get(name)
    except ValueError:
        return False
    return True


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "units": (_or_none(_is_units), "a list of whole numbers from 1 on, one a layer, or None"),
    "layers": (_is_count, "a whole number from 1 on"),
    "nodes": (_is_count, "a whole number from 1 on"),
    "activation": (_is_activation, "the name of one of Keras's activations, such as 'relu'"),
    "dropout": (_is_part, "in [0, 1)"),
    "batch_normalisation": (lambda value: isinstance(value, bool), "True or False"),
    "regulariser": (_or_none(_is_one_of(("l1", "l2"))), "None, 'l1' or 'l2'"),
    "strength": (_is_not_negative, "0 or a positive number"),
    "weight_constraint": (_or_none(_is_positive), "a positive number, or None"),
    "activity_regularisation": (_is_not_negative, "0 or a positive number"),
    "input_noise": (lambda value: _is_number(value) and 0 <= value <= 1, "in [0, 1]"),
    "optimizer": (_is_one_of(tuple(OPTIMIZERS)), "'adam', 'adagrad', 'rmsprop' or 'sgd'"),
    "learning_rate": (_or_none(_is_positive), "a positive number, or None"),
    "momentum": (_or_none(_is_part), "in [0, 1), or None"),
    "loss": (_is_loss, "the name of one of Keras's losses, such as 'categorical_crossentropy'"),
    "early_stopping": (_or_none(_is_count), "a whole number of epochs from 1 on, or None"),
}
