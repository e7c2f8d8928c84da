"""The closed list of what the description of a model, model.json, may name.

The file may come from anybody, and Keras imports what such a file names. So everything in it is compared with Keras's
own classes first, and with what this process has registered.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

_MOST_NESTING = 150
_MOST_NUMBER = 2**31 - 1
MOST_REPEATED = 10_000
_LONGEST = 200
# What Keras writes about an object. Anything else is of another program.
_KEYS = {"module", "class_name", "config", "registered_name", "build_config", "compile_config", "name", "inbound_nodes"}
_ROOMS = ("layers", "initializers", "regularizers", "constraints", "dtype_policies", "quantizers")
_ROOMS_TO_COMPILE = ("optimizers", "optimizers.schedules", "losses", "metrics")
_MODELS = ("Sequential", "Model", "Functional")
_MODEL_KEYS = {"name", "trainable", "dtype", "layers", "input_layers", "output_layers", "build_input_shape"}
# They run code that a file holds, or read a file that it names.
_REFUSED = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer"}
_TENSORS = {"__keras_tensor__", "__tensor__", "__numpy__", "__slice__", "__ellipsis__"}
_FILES = {"vocabulary", "idf_weights", "filepath"}  # Keras takes a text there for the name of a file
_ANY_NUMBER = {"seed", "vocabulary", "mask_token", "oov_token", "mask_value", "pad_value", "value"}
_REPEATED = {"num_ops", "num_chains", "chain_depth", "power_iterations"}  # Keras loops over them


class DescriptionError(ValueError):
    """A description has something that no model of Keras has. The message is a sentence that names the layer or key."""


class Place(NamedTuple):
    """A place in a description: the nearest layer around it, the key of the value, and how deep it lies."""

    layer: str
    key: str
    depth: int

    def below(self, key: str) -> Place:
        """Return the place of the value of a key here."""
        return Place(self.layer, key, self.depth + 1)

    def __str__(self) -> str:
        owner = f"Its layer `{brief(self.layer)}`" if self.layer else "The model"
        return f"{owner} has, as `{brief(self.key)}`," if self.key else f"{owner} is"


def _check(value: Any, place: Place, *, compiles: bool) -> bool:
    """Return whether a value holds nothing of the user's own.

    Raises:
        DescriptionError: It holds something that is not on the list.
    """
    if place.depth > _MOST_NESTING:
        raise DescriptionError(f"{place} values that are nested more than {_MOST_NESTING} deep.")
    if isinstance(value, dict):
        if "class_name" in value:
            return check_object(value, place, compiles=compiles)
        return all([_check(each, place.below(key), compiles=compiles) for key, each in value.items()])
    if isinstance(value, list):
        inner = place._replace(depth=place.depth + 1)
        return all([isinstance(each, str) or _check(each, inner, compiles=compiles) for each in value])
    if isinstance(value, str) and place.key in _FILES:
        raise DescriptionError(f"{place} the name of a file, but must have the values themselves.")
    if type(value) is int and place.key not in _ANY_NUMBER:
        most = MOST_REPEATED if place.key in _REPEATED else _MOST_NUMBER
        if abs(value) > most:
            raise DescriptionError(f"{place} {brief(value)}, but must have at most {most}.")
    return True


def check_object(value: dict[str, Any], place: Place, *, compiles: bool) -> bool:
    """Return whether a description of an object, a model say, holds nothing of the user's own.

    Args:
        value: The description. It has a ``class_name``.
        place: The place at which it stands.
        compiles: Whether it is of what a model is compiled with: optimizers, losses and metrics.

    Raises:
        DescriptionError: It holds something that is not on the list.
    """
    kind, config = value["class_name"], value.get("config")
    if not isinstance(kind, str) or not isinstance(value.get("registered_name"), str | None):
        raise DescriptionError(f"{place} an object whose `class_name` or `registered_name` is no text.")
    if kind in _TENSORS and value.keys() <= {"class_name", "config"}:
        return _check(config, place.below("config"), compiles=compiles)
    name = config.get("name") if isinstance(config, dict) else None
    found = _class_of(value, compiles=compiles)
    if isinstance(name, str) and (found is None or _is_layer(found)):
        place = Place(name, "", place.depth)
    if found is None:
        raise DescriptionError(
            f"{place} {brief(kind)!r} of {brief(value.get('module'))!r}, which is neither one of Keras's own nor "
            "registered."
        )
    if unknown := sorted(map(str, value.keys() - _KEYS)):
        raise DescriptionError(
            f"{place} {brief(kind)!r} with the key {brief(unknown[0])!r}, which Keras does not write."
        )
    is_plain = isinstance(found, type) and not _is_registered(value)
    if is_plain and isinstance(config, dict) and (unknown := sorted(config.keys() - _parameters(found))):
        raise DescriptionError(f"{place._replace(key='')} {brief(kind)!r}, which has no `{brief(unknown[0])}`.")
    inner = value if compiles else {key: each for key, each in value.items() if key != "compile_config"}
    checked = [_check(each, place.below(key), compiles=compiles) for key, each in inner.items() if key != "name"]
    return is_plain and all(checked)


def _class_of(value: Mapping[str, Any], *, compiles: bool) -> object:
    """Return the class that an object names, or the function that is registered; None if it is not on the list."""
    import keras

    kind, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    own = keras.saving.get_custom_objects()
    if kind == "function":
        return own.get(value.get("config")) if isinstance(value.get("config"), str) else None
    if isinstance(registered, str) and registered in own:
        return own[registered]
    if not isinstance(kind, str) or not isinstance(module, str) or kind in _REFUSED:
        return None
    if (module == "keras" and kind in _MODELS) or (module.endswith(".models.functional") and kind == "Functional"):
        return keras.Model if kind != "Sequential" else keras.Sequential
    if module == "keras" and kind.startswith("DTypePolicy"):
        return getattr(keras.dtype_policies, kind, None)
    rooms = (*_ROOMS, *_ROOMS_TO_COMPILE) if compiles else _ROOMS
    if module.removeprefix("keras.") in rooms and module.startswith("keras."):
        found = keras
        for part in module.split(".")[1:]:
            found = getattr(found, part)
        found = getattr(found, kind, None)
        return found if isinstance(found, type) else None
    found = getattr(sys.modules.get(module), kind, None) if module.startswith("keras.") else None
    is_operation = isinstance(found, type) and issubclass(found, keras.Operation) and not _is_layer(found)
    return found if is_operation else None


def _is_registered(value: Mapping[str, Any]) -> bool:
    import keras

    return value.get("registered_name") in keras.saving.get_custom_objects()


def _is_layer(found: object) -> bool:
    import keras

    return isinstance(found, type) and issubclass(found, keras.Layer)


@cache
def _parameters(found: type[Any]) -> frozenset[str]:
    """Return the names that the configuration of a class may have."""
    import keras

    if issubclass(found, keras.Model):
        return frozenset(_MODEL_KEYS)
    names: set[str] = {"name", "dtype", "trainable"}
    for base in found.__mro__:
        if "__init__" in vars(base):
            names |= set(inspect.signature(vars(base)["__init__"]).parameters)
        if "get_config" in vars(base):  # it also writes what __init__ takes among **kwargs
            names |= set(_texts(vars(base)["get_config"].__code__.co_consts))
    return frozenset(names)


def _texts(constants: Iterable[object]) -> Iterator[str]:
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple):
            yield from _texts(constant)


def can_compile(described: Mapping[str, Any]) -> bool:
    """Return whether Keras itself has all that a model is compiled with."""
    try:
        return _check(described.get("compile_config"), Place("", "compile_config", 0), compiles=True)
    except DescriptionError:
        return False


def brief(value: object) -> str:
    """Return a value as one line of limited length."""
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
