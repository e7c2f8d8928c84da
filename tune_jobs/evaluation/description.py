"""Keras's description of a model: whether a model that is built from it predicts what the model itself does.

A file of a model holds its weights and its description. Keras describes a subclass of ``keras.Model`` without
``get_config`` by the defaults of its arguments, and not by the values that they had (keras 3.15): a model of 5 units
comes back as one of 6. Most descriptions of layers of the user's own cannot be read back at all if ``__init__`` takes
no ``**kwargs``. Both show only when the file is read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from tune_jobs.base.words import first_sentences
from tune_jobs.errors import RequestError

_REMEDY = "give its layers and the model itself a get_config(), as the Keras guide on serialization shows."
_NOT_FOUND = "Could not locate"
_RTOL, _ATOL = 1e-3, 1e-5


def indescribable(error: Exception) -> RequestError:
    """Return the error about a model that Keras cannot describe."""
    return RequestError(
        f"Keras cannot describe the model ({type(error).__name__}: {first_sentences(error)}): {_REMEDY}"
    )


def check_description(model: Any, example: Any) -> None:
    """Check that a model can be described in a file, and read back from it with all it needs.

    Args:
        model: The Keras model, with all of its weights.
        example: (x, …), an example with its axis of examples, to compare predictions on; None: they are not compared.

    Raises:
        RequestError: It cannot be described or read back, or what is read back predicts other numbers.
    """
    import keras

    from trainables.training.adapted_state import vocabularies_in_config

    try:
        with vocabularies_in_config(model):
            described = dict(keras.saving.serialize_keras_object(model))
    except Exception as error:  # the user's get_config may raise anything
        raise indescribable(error) from error
    described.pop("compile_config", None)
    try:
        twin = keras.saving.deserialize_keras_object(described, custom_objects=_own_objects(described), safe_mode=False)
    except Exception as error:  # the user's from_config, too
        if _NOT_FOUND in str(error):
            return  # a class within a function, or a function: a reader is told its name
        raise RequestError(
            f"Keras cannot build the model again from its description ({first_sentences(error)}): {_REMEDY}"
        ) from error
    if example is not None:
        _check_predictions(model, twin, example)


def _check_predictions(model: Any, twin: Any, example: Any) -> None:
    from trainables.training.adapted_state import AdaptedLayers, finalize
    from trainables.training.example import create_missing_weights, random_inputs

    values = [np.array(variable) for variable in model.non_trainable_variables]  # a call may change them
    inputs, weights = random_inputs(example[0]), model.get_weights()
    try:
        try:
            expected = _outputs(model, inputs)
        except Exception:  # noqa: BLE001 - it need not know made-up inputs: words of a closed vocabulary
            return
        again = _outputs(model, inputs)
        AdaptedLayers(model).state().load_into(twin)
        create_missing_weights(twin, example, 0)
        if len(twin.weights) < len(weights):
            return  # some of them come with a step of training
        twin.set_weights(weights)
        finalize(twin)
        is_same = _are_alike(expected, _outputs(twin, inputs)) or not _are_alike(expected, again)
    except ValueError as error:
        raise RequestError(
            f"A model that is built from Keras's description of this one has other weights ({first_sentences(error)}): "
            f"{_REMEDY}"
        ) from error
    finally:
        for variable, value in zip(model.non_trainable_variables, values, strict=True):
            variable.assign(value)
    if not is_same:
        raise RequestError(
            "A model that is built from Keras's description of this one predicts other numbers: Keras describes a "
            f"subclass of keras.Model by the defaults of its arguments. For a file, {_REMEDY}"
        )


def _outputs(model: Any, inputs: Any) -> list[np.ndarray]:
    import keras

    outputs = keras.tree.flatten(model(inputs, training=False))
    return [keras.ops.convert_to_numpy(keras.ops.cast(output, "float32")) for output in outputs]


def _are_alike(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return len(first) == len(second) and all(
        one.shape == other.shape and np.allclose(one, other, _RTOL, _ATOL, equal_nan=True)
        for one, other in zip(first, second, strict=True)
    )


def _own_objects(described: Any) -> dict[str, Any]:
    """Return the classes of a user's own that a description names, from the modules that have been imported."""
    found = {}
    for part in _parts(described):
        module = sys.modules.get(str(part.get("module")))
        own = getattr(module, str(part["class_name"]), None)
        if own is not None and str(part.get("module")).split(".")[0] not in ("keras", "builtins"):
            found[str(part["class_name"])] = own
    return found


def _parts(described: Any) -> Iterator[dict[str, Any]]:
    if isinstance(described, dict):
        if "class_name" in described:
            yield described
        for value in described.values():
            yield from _parts(value)
    elif isinstance(described, list | tuple):
        for value in described:
            yield from _parts(value)
