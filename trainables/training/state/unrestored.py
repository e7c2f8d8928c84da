"""Python state that changes while a trial runs: global generators go on, and what no checkpoint has is told by name."""

from __future__ import annotations

import inspect
import itertools
import types
import warnings
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainables.internals.global_state import drawn_numbers, set_drawn_numbers
from trainables.internals.stateful_draws import random_graphs
from trainables.training.state.model_state import unsaved_generators
from trainables.training.state.plain_values import is_plain
from trainables.training.state.walk import (
    HOLDERS,
    attributes_of,
    is_object_of_the_user,
    is_of_the_user,
    is_variable,
    walk,
)

_MOST_TOLD = 5
_DEEPEST = 8
_MOST_PARTS = 1000
_LARGE_BYTES = 2**20
_SAMPLE = 2**16
_OF_A_FIT = ("built", "stop_training", "params", "_model", "model")
# What `compile` takes: another one comes by another `compile`, of which a checkpoint knows.
_COMPILED = (
    keras.optimizers.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule,
    keras.metrics.Metric,
    keras.losses.Loss,
)
_names_of_kinds: weakref.WeakKeyDictionary[type[Any], frozenset[str]] = weakref.WeakKeyDictionary()

_Values = dict[tuple[str, str], Any]  # by the name in the code, and the path of attributes


class PythonState:
    """The Python state of a training: a checkpoint has how far the global generators are, and tells what it has not.

    Python code of a traced model runs while it is traced only. What it leaves behind then belongs to the beginning, so
    such a model is looked at from the end of its first epoch on.

    Args:
        model: A compiled ``keras.Model``.
        callbacks: Its callbacks, which have heard that the training begins.
    """

    def __init__(self, model: Any, callbacks: Sequence[Any]) -> None:
        self._model = model
        self._callbacks = callbacks
        self._graphs = random_graphs()
        self._of_callbacks = _of_callbacks(callbacks, model)
        self._of_model = _of_model(model) if model.run_eagerly else None
        self._drawn_at_begin = self._drawn = drawn_numbers()
        self._drawn_before: Mapping[str, Any] | None = None

    def epoch_begins(self) -> None:
        """Let the global generators go on from where a checkpoint had them."""
        if self._drawn_before is not None:
            set_drawn_numbers(self._drawn_before)
            self._drawn_before = None

    def epoch_ended(self) -> None:
        """Take what an epoch has left: numbers drawn, and the values of a traced model if it was the first here."""
        self._drawn = drawn_numbers()
        if self._of_model is None:
            self._of_model = _of_model(self._model)

    def state(self) -> dict[str, Any]:
        """Return as JSON how far the global generators are, if anybody has drawn from them."""
        return {} if self._drawn == self._drawn_at_begin else {"drawn": self._drawn}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take from the state of a checkpoint what ``state`` returned.

        Raises:
            KeyError, TypeError, ValueError: It is damaged.
        """
        if (drawn := state.get("drawn")) is not None:
            set_drawn_numbers(drawn)  # damage shows here; whoever builds another model meanwhile may draw
            self._drawn = self._drawn_before = drawn

    @property
    def unsaved(self) -> list[str]:
        """Parts of the training that a continued trial would not restore, in words."""
        holders = {"model": self._model, **{type(each).__name__: each for each in self._callbacks}}
        told = [f"the generator `{name}` begins anew" for name in unsaved_generators(holders)]
        changed = [
            *_changed(self._of_model or {}, _of_model(self._model) if self._of_model is not None else {}),
            *_changed(self._of_callbacks, _of_callbacks(self._callbacks, self._model)),
        ]
        told += [f"`{name}` is a value in Python that changes, and begins anew" for name in changed[:_MOST_TOLD]]
        if random_graphs() - self._graphs:
            told.append(
                "random operations of TensorFlow (tf.random.normal and the like) begin anew: keras.random with a "
                "SeedGenerator of the model's own does not"
            )
        return told


def _changed(before: _Values, now: _Values) -> list[str]:
    changed = [key for key, value in now.items() if key not in before or before[key] != value]
    return list(dict.fromkeys(name for name, _ in changed))


def _of_model(model: Any) -> _Values:
    return dict(_values("model", walk(model), _is_counted))


def _of_callbacks(callbacks: Sequence[Any], model: Any) -> _Values:
    of_model = {id(item) for _, item in walk(model)}
    values: _Values = {}
    for index, callback in enumerate(callbacks):

        def is_counted(item: Any, name: str, value: Any, callback: Any = callback) -> bool:
            if item is not callback:
                return _is_counted(item, name, value)
            return is_of_the_user(type(callback)) and name not in _OF_A_FIT and not is_plain(value)

        held = attributes_of(callback).values()
        saved = {id(value) for value in held if not isinstance(value, str) and is_plain(value)}
        found = _values(type(callback).__name__, walk(callback, of_model | saved), is_counted)
        values |= {(name, f"{index}/{path}"): value for (name, path), value in found}
    return values


def _values(
    root: str, items: Iterator[tuple[str, Any]], is_counted: Callable[[Any, str, Any], bool]
) -> Iterator[tuple[tuple[str, str], Any]]:
    for path, item in items:
        if isinstance(item, HOLDERS) or is_object_of_the_user(item):
            attributes, owner = attributes_of(item), type(item).__name__ if path else root
        elif isinstance(item, types.FunctionType):
            attributes, owner = _closure(item), f"{root}.{path.replace('/', '.')}"
        else:
            continue
        for attribute, value in attributes.items():
            if is_counted(item, attribute, value) and (digest := _digest(value)) is not None:
                yield (f"{owner}.{attribute}", path), digest


def _closure(function: types.FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells if cell != types.CellType()}


def _is_counted(item: Any, name: str, value: Any) -> bool:  # noqa: ARG001 - as those of callbacks
    if name in _OF_A_FIT or (isinstance(item, _COMPILED) and not is_of_the_user(type(item))):
        return False
    return not isinstance(item, HOLDERS) or name in _names_of(type(item))


def _names_of(kind: type[Any]) -> frozenset[str]:
    """Return the attributes that are a class's own: those of its constructor, and those that a user's code names."""
    if kind not in _names_of_kinds:
        names: set[str] = set()
        for each in kind.__mro__:
            own = vars(each)
            if isinstance(constructor := own.get("__init__"), types.FunctionType):
                code = inspect.unwrap(constructor).__code__
                names.update(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
            if is_of_the_user(each):
                functions = [part.fget if isinstance(part, property) else part for part in own.values()]
                codes = [getattr(inspect.unwrap(part), "__code__", None) for part in functions if callable(part)]
                names.update(*(code.co_names for code in codes if isinstance(code, types.CodeType)))
        _names_of_kinds[kind] = frozenset(names)
    return _names_of_kinds[kind]


def _digest(value: Any, depth: int = 0) -> Any:
    """Return what tells whether a value has changed; None for what is no value, or is a part that is walked over."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)[:_SAMPLE]
    if is_variable(value) or isinstance(value, HOLDERS) or depth > _DEEPEST:
        return None
    if isinstance(value, np.ndarray | np.generic) or type(value).__name__ == "EagerTensor":
        return _digest_of_array(value)
    if isinstance(value, types.GeneratorType):
        frame = value.gi_frame
        return "ended" if frame is None else (frame.f_lasti, repr(_digest(dict(frame.f_locals), depth + 1)))
    if hasattr(value, "__next__") and type(value).__module__ in ("builtins", "itertools"):
        return _digest_of_iterator(value)
    if isinstance(value, dict):
        pairs = itertools.islice(value.items(), _MOST_PARTS)
        return ("dict", len(value), [(repr(key), _digest(part, depth + 1)) for key, part in pairs])
    if isinstance(value, list | tuple | deque):
        parts = itertools.islice(reversed(value), _MOST_PARTS)
        return (type(value).__name__, len(value), [_digest(part, depth + 1) for part in parts])
    if isinstance(value, set | frozenset):
        return ("set", len(value), sorted(map(repr, value)) if len(value) <= _MOST_PARTS else None)
    return _digest_of_table(value)


def _digest_of_array(value: Any) -> Any:
    try:
        array = np.asarray(value)
        flat = array.reshape(-1)
        sample = flat if array.nbytes <= _LARGE_BYTES else flat[:: max(1, len(flat) // _SAMPLE)]
        content = repr(sample.tolist()).encode() if array.dtype.hasobject else np.ascontiguousarray(sample).tobytes()
        return (array.shape, str(array.dtype), zlib.crc32(content))
    except Exception:  # noqa: BLE001 - a tensor of a graph has no numbers
        return None


def _digest_of_iterator(value: Any) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return repr(value.__reduce__())[:_SAMPLE]
    except Exception:  # noqa: BLE001 - not every iterator tells
        return None


def _digest_of_table(value: Any) -> Any:
    if keras.backend.backend() != "tensorflow" or not hasattr(value, "export") or not hasattr(value, "lookup"):
        return None
    try:
        return [_digest_of_array(part) for part in value.export()]
    except Exception:  # noqa: BLE001 - one that is no table
        return None
