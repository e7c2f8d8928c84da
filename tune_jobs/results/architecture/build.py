"""Building a model from its description, model.json: its sizes are counted before anything is built."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tune_jobs.base.plain_text import plain_text
from tune_jobs.results.architecture.checks import (
    MOST_REPEATED,
    DescriptionError,
    Place,
    brief,
    can_compile,
    check_object,
)

if TYPE_CHECKING:
    import keras

_MOST_BYTES = 64 * 2**20


def build_described(path: Path, shapes: Sequence[tuple[int, ...]]) -> keras.Model:
    """Return the model that a file describes. Nothing of its size is made before its sizes are known to be right.

    Args:
        path: The file.
        shapes: The shapes of the weights that the model will get.

    Raises:
        DescriptionError: The file has something that is not on the list, or the model has weights of other shapes.
    """
    import keras

    described = _read(path)
    is_plain = check_object(described, Place("", "", 0), compiles=False)
    if not can_compile(described):
        described.pop("compile_config", None)
    if is_plain:  # code that the user has registered may make variables in its own ways
        described = _without(described, {"build_config": None})  # layers are built by calling them, to their real size
        _compare(_sketch(described), shapes, keeps_state=_has(described, "stateful"))
    try:
        model = keras.models.model_from_json(json.dumps(described))
    except Exception as error:
        raise _not_built(described, error) from error
    if not isinstance(model, keras.Model):
        raise DescriptionError("It does not describe a model.")
    if is_plain:
        _compare(model, shapes, keeps_state=False)
    return model


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        text = file.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise DescriptionError(f"It is longer than {_MOST_BYTES} bytes.")
    try:
        described = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DescriptionError(f"It is not JSON ({brief(error)}).") from error
    if not isinstance(described, dict) or not {"class_name", "config"} <= described.keys():
        raise DescriptionError("It does not describe a model: it has no `class_name`, or no `config`.")
    return described


def _sketch(described: Mapping[str, Any]) -> keras.Model:
    """Return the model without its variables' values: their shapes take no memory."""
    import keras

    from trainables.training.model_sketch import sketched_model

    count = sum(1 for _ in _layers(described))
    if count > MOST_REPEATED:
        raise DescriptionError(f"It has {count} layers, but must have at most {MOST_REPEATED}.")
    longest = max(_dimensions(described), default=0)
    if longest > MOST_REPEATED and (_has(described, "unroll") or _has(described, "stateful")):
        raise DescriptionError(
            f"A layer is unrolled or keeps its state, so no dimension of its input may be above {MOST_REPEATED}, but "
            f"one is {longest}."
        )
    plain = _without_vocabularies(_without(described, {"compile_config": None, "stateful": False}))
    try:
        model = sketched_model(json.dumps(plain))
    except Exception as error:
        raise _not_built(plain, error) from error
    if not isinstance(model, keras.Model):
        raise DescriptionError("It does not describe a model.")
    return model


def _compare(model: keras.Model, shapes: Sequence[tuple[int, ...]], *, keeps_state: bool) -> None:
    described = [(weight.path, tuple(weight.shape)) for weight in model.weights]
    if not described and not model.built:
        return  # its layers get their variables from data
    if keeps_state:  # the states are among the checkpoint's weights; the sketch has none
        rest = iter(map(tuple, shapes))
        shapes = [shape for _, shape in described if shape in rest]
    for (name, shape), given in zip(described, shapes, strict=False):
        if shape != tuple(given):
            raise DescriptionError(
                f"Its weight `{brief(name)}` has the shape {shape}, but the checkpoint's has {tuple(given)}."
            )
    if len(described) != len(shapes):
        raise DescriptionError(f"It has {len(described)} weights, but the checkpoint has {len(shapes)}.")


def _not_built(described: Mapping[str, Any], error: BaseException) -> DescriptionError:
    """Return what Keras could not build: the first layer that it cannot build by itself, if there is one."""
    import keras

    for layer in _layers(described):
        try:
            with keras.StatelessScope(initialize_variables=False):
                keras.layers.deserialize({key: value for key, value in layer.items() if key != "build_config"})
        except Exception as its_error:  # noqa: BLE001 - wrong types make Keras raise anything
            name = layer["config"].get("name") if isinstance(layer.get("config"), dict) else None
            return DescriptionError(
                f"Keras cannot build its layer `{brief(name or layer['class_name'])}`: {_named(its_error)}."
            )
    return DescriptionError(f"Keras cannot build it: {_named(error)}.")


def _layers(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the layers of a checked description that hold no others."""
    if isinstance(value, dict):
        config = value.get("config")
        if isinstance(config, dict) and "class_name" in value and isinstance(config.get("layers"), list):
            yield from _layers(config["layers"])
        elif "class_name" in value:
            yield value
    elif isinstance(value, list):
        for each in value:
            yield from _layers(each)


def _dimensions(value: Any) -> Iterator[int]:
    """Yield all dimensions of inputs that a description tells."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key.endswith("shape") and isinstance(each, list):
                yield from (number for number in each if type(number) is int)
            yield from _dimensions(each)
    elif isinstance(value, list):
        for each in value:
            yield from _dimensions(each)


def _has(value: Any, key: str) -> bool:
    """Return whether a switch is on anywhere in a description."""
    if isinstance(value, dict):
        return bool(value.get(key)) or any(_has(each, key) for each in value.values())
    return isinstance(value, list) and any(_has(each, key) for each in value)


def _without(value: Any, replaced: Mapping[str, Any]) -> Any:
    """Return a description with other values for some keys; a key is left out if its value is None."""
    if isinstance(value, dict):
        return {
            key: replaced[key] if key in replaced else _without(each, replaced)
            for key, each in value.items()
            if key not in replaced or replaced[key] is not None
        }
    return [_without(each, replaced) for each in value] if isinstance(value, list) else value


def _without_vocabularies(value: Any) -> Any:
    """Return a description whose lookups have room for their vocabularies, and none: a sketch cannot count one."""
    if isinstance(value, list):
        return [_without_vocabularies(each) for each in value]
    if not isinstance(value, dict):
        return value
    value = {key: _without_vocabularies(each) for key, each in value.items()}
    tokens = value.get("vocabulary")
    if isinstance(tokens, list) and value.get("output_mode", "int") != "int":
        out_of_vocabulary = value.get("num_oov_indices", 1)
        most = len(tokens) + (out_of_vocabulary if type(out_of_vocabulary) is int else 1)
        most = value.get("max_tokens") if value.get("pad_to_max_tokens") is True else most
        value |= {"vocabulary": None, "idf_weights": None, "max_tokens": most, "pad_to_max_tokens": True}
    return value


def _named(error: BaseException) -> str:
    text = plain_text(str(error)).rpartition("Exception encountered: ")[2]  # after a page about serialization
    return brief(text or type(error).__name__).rstrip(".")
