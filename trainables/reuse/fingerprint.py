"""A fingerprint of everything that a compiled step of a model depends on, whatever the model's weights are."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import types
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from trainables.internals.keras_model import is_bookkeeping

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
_TRUSTED_PACKAGES = frozenset({"keras", "tensorflow", "numpy", "builtins"})

# Public attributes that tell of the last fit, or that a training sets.
_PASSED_OVER = frozenset(
    {
        "history",
        "stop_training",
        "stop_evaluating",
        "stop_predicting",
        "make_train_function",  # `GatheringSteps` replaces these two methods, and makes the functions that they return
        "make_test_function",
        "train_function",
        "test_function",
        "predict_function",
        "finalize_variable_values",  # postponed by a Training
    }
)

_Parts = Iterable[tuple[Any, ...]]


class OpaqueModelError(ValueError):
    """The error of a model with an object whose attributes do not show how it affects a trace."""


@dataclass(frozen=True)
class ModelFingerprint:
    """Everything that can be reached from a model through attributes.

    A trace is a function of the code that is traced, of these objects, and of the few settings of Keras that are
    among the features. Where all the code is Keras's own, models with equal features have equal traces.

    Attributes:
        features: Classes, functions, plain values, and their connections, in the order in which they are visited.
        variables: The Keras variables among them, in that order. Of a variable, the features hold its path, shape, type
            and what else a trace depends on, but not its value.
        objects: Keras's objects among them: layers, optimizers, metrics and so on.
    """

    features: list[Any]
    variables: list[Any]
    objects: list[Any]

    @property
    def nbytes(self) -> int:
        """Bytes of the variables' values."""
        return sum(int(np.prod(variable.shape)) * _itemsize(variable) for variable in self.variables)


def fingerprint(model: Any) -> ModelFingerprint:
    """Look through a model, in a few milliseconds for a small one.

    Args:
        model: A compiled ``keras.Model`` with all of its variables.

    Raises:
        OpaqueModelError: The model holds code that is not Keras's own (a class, a function, a lambda), or an object of
            another library. What a trace makes of them is not known from their attributes.
    """
    settings = [keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format()]
    result = ModelFingerprint(settings, [], [])
    numbers: dict[int, int] = {}  # the number of every object by its address, in the order of the visits
    met: list[Any] = []  # keeps the objects alive until the end: else another one could get the same address
    waiting: list[Any] = [model]
    while waiting:  # not recursive: the graph of a deep model is deeper than Python's stack
        item = waiting.pop()
        if isinstance(item, _PLAIN):
            result.features.append((type(item), repr(item)))
        elif id(item) in numbers:
            result.features.append(numbers[id(item)])
        else:
            numbers[id(item)] = len(numbers)
            met.append(item)
            feature, parts = _look_at(item, result)
            result.features.append(feature)
            waiting.extend(reversed([value for part in parts for value in part]))
    return result


def _look_at(item: Any, result: ModelFingerprint) -> tuple[Any, _Parts]:
    """Return the feature of an object, and its parts, which are looked at next.

    Variables, and objects of Keras, are also added to the result.
    """
    if isinstance(item, keras.Variable):
        result.variables.append(item)
        feature = (item.path, tuple(item.shape), str(item.dtype), bool(item.trainable))
        return feature, [(item.constraint, item.regularizer, getattr(item, "overwrite_with_gradient", False))]
    if isinstance(item, Mapping):
        return (_trusted_class(item), len(item)), item.items()
    if isinstance(item, list | tuple):
        return (_trusted_class(item), len(item)), [(part,) for part in item]
    if isinstance(item, Set):
        return (_trusted_class(item), len(item)), [(part,) for part in _ordered(item)]
    if isinstance(item, types.FunctionType | types.MethodType | types.BuiltinFunctionType | functools.partial):
        return _look_at_code(item)
    if isinstance(item, type | types.ModuleType):
        return _trusted(item, item.__module__ if isinstance(item, type) else item.__name__), ()
    if _is_array(item):
        value = np.asarray(item)
        return (str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()), ()
    if isinstance(item, inspect.Signature | re.Pattern | np.dtype):
        return (type(item), str(item)), ()
    return _look_at_object(item, result)


def _look_at_object(item: Any, result: ModelFingerprint) -> tuple[Any, _Parts]:
    kind = _trusted_class(item)
    if _is_single_device(item):
        return kind, ()
    if (content := _content_of_tensorflow(item)) is not None:
        return kind, [(part,) for part in content]
    if kind.__module__.split(".")[0] != "keras":
        raise OpaqueModelError(f"{kind.__module__}.{kind.__qualname__}")
    if isinstance(item, keras.initializers.Initializer):
        return kind, ()  # it has done its work, and its seed is another one in every model
    if not hasattr(item, "__dict__"):
        raise OpaqueModelError(f"{kind.__module__}.{kind.__qualname__}, which has no attributes to look at")
    result.objects.append(item)
    return kind, [
        (name, part) for name, part in vars(item).items() if name not in _PASSED_OVER and not is_bookkeeping(name, part)
    ]


def _is_single_device(item: Any) -> bool:
    """Return whether an object is the distribution strategy that TensorFlow has where the user chose none."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.distribute.has_strategy() and type(item) is type(tf.distribute.get_strategy())


def _content_of_tensorflow(item: Any) -> tuple[Any, ...] | None:
    """Return what a lookup table of TensorFlow holds, or a variable that is not trained; None for anything else.

    Layers with a vocabulary have them. A trace reads its own model's table, so equal content gives equal results.
    """
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if isinstance(item, tf.Variable) and not item.trainable:
        return (item.numpy(),)
    if not isinstance(item, tf.lookup.StaticHashTable | tf.lookup.experimental.MutableHashTable):
        return None
    pairs = sorted(zip(*(part.numpy().tolist() for part in item.export()), strict=True)) if int(item.size()) else []
    digest = hashlib.sha256(repr(pairs).encode()).hexdigest()
    return (item.key_dtype.name, item.value_dtype.name, digest)


def _look_at_code(item: Any) -> tuple[Any, _Parts]:
    if isinstance(item, functools.partial):
        return functools.partial, [(item.func, item.args, item.keywords)]
    if isinstance(item, types.MethodType):
        return types.MethodType, [(item.__func__, item.__self__)]
    if isinstance(item, types.BuiltinFunctionType):
        return _trusted(item, item.__module__ or ""), ()
    cells = [cell.cell_contents for cell in item.__closure__ or () if _is_filled(cell)]
    # `functools.wraps` lends a function the module of another one; its globals tell where it was defined.
    code = _trusted(item.__code__, item.__globals__.get("__name__", ""))
    return code, [(cells, item.__defaults__, item.__kwdefaults__)]


def _trusted(item: Any, module: str) -> Any:
    if module.split(".")[0] not in _TRUSTED_PACKAGES:
        raise OpaqueModelError(f"{module}.{getattr(item, '__qualname__', item)}")
    return item


def _trusted_class(item: Any) -> type:
    kind = type(item)
    if kind.__module__.split(".")[0] not in {*_TRUSTED_PACKAGES, "collections"}:
        raise OpaqueModelError(f"{kind.__module__}.{kind.__qualname__}")
    return kind


def _ordered(items: Set[Any]) -> list[Any]:
    if not all(isinstance(item, _PLAIN) for item in items):
        raise OpaqueModelError("a set of objects")
    return sorted(items, key=repr)


def _is_array(item: Any) -> bool:
    return isinstance(item, np.ndarray | np.generic) or (keras.ops.is_tensor(item) and hasattr(item, "numpy"))


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _itemsize(variable: Any) -> int:
    digits = re.search(r"\d+", str(variable.dtype))  # NumPy does not know bfloat16
    return max(1, int(digits.group()) // 8) if digits else 1
