"""The state that ``adapt`` gives to layers and that is in no variable: vocabularies, boundaries of bins.

Keras keeps it in the assets and in the configurations of a ``.keras`` file, and not among a model's weights. Its file
of a vocabulary has a token a line: a token with a line break in it comes back as two. Here every token stays one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainables.storage.checkpoint import CheckpointError, Snapshot
from trainables.training.state.model_state import layers_of

PREFIX = "adapted"

_TOKENS, _LENGTHS, _NUMBERS, _TERM_WEIGHTS = "tokens", "lengths", "numbers", "term_weights"
_BOUNDARIES, _VARIABLE, _FILE = "boundaries", "variable/", "file/"

Parts = Mapping[str, np.ndarray]
"""The state of one layer: arrays by name."""


@dataclass(frozen=True)
class AdaptedState:
    """The adapted state of a model's layers.

    Attributes:
        layers: The state of each layer that has one, by the path of attributes to it.
    """

    layers: Mapping[str, Parts] = field(default_factory=dict)

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> AdaptedState:
        """Return the state that belongs to the best weights of a snapshot.

        Raises:
            KeyError, TypeError: The snapshot is damaged.
        """
        state, prefix = snapshot.state, PREFIX
        executions, best = state.get("executions"), state.get("best_execution", 0)
        if executions:
            state, prefix = executions[best], f"executions/{best}/{PREFIX}"
        layers = {}
        for index, path in enumerate(state.get(PREFIX, ())):
            start = f"{prefix}/{index}/"
            layers[str(path)] = {
                name.removeprefix(start): array for name, array in snapshot.arrays.items() if name.startswith(start)
            }
        return cls(layers)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of a snapshot. Its state has the keys of ``layers`` as a list under the name ``PREFIX``."""
        return {
            f"{PREFIX}/{index}/{name}": array
            for index, parts in enumerate(self.layers.values())
            for name, array in parts.items()
        }

    def load_into(self, model: Any) -> None:
        """Give the layers of a model their state. What is as it should be is left alone, and so are its traces.

        Args:
            model: A model of the same layers; it need not be built yet.

        Raises:
            CheckpointError: The model has no such layers, or they refuse the state.
        """
        if not self.layers:
            return
        layers = dict(layers_of(model))
        for path, parts in self.layers.items():
            layer = layers.get(path)
            if layer is None or not _takes(layer, parts):
                raise CheckpointError(f"The checkpoint does not fit: the model has no layer {path} that was adapted.")
            try:
                _load(layer, parts)
            except Exception as error:  # Keras, or a layer of a user's own, may raise anything
                raise CheckpointError(
                    f"The checkpoint does not fit: the layer {layer.name} does not take its adapted state: {error}"
                ) from error


class AdaptedLayers:
    """The layers of a model that have adapted state, read again only when they were adapted again.

    Args:
        model: A Keras model.
    """

    def __init__(self, model: Any) -> None:
        self._unsaved: list[str] = []
        self._layers = [(path, layer, read) for path, layer in layers_of(model) if (read := _reader(layer)) is not None]
        self._read: dict[str, tuple[Any, Parts]] = {}

    @property
    def unsaved(self) -> list[str]:
        """Layers whose state cannot be read, in words."""
        self.state()
        return list(self._unsaved)

    def state(self) -> AdaptedState:
        """Return the state that the layers have now."""
        self._unsaved = []
        layers = {}
        for path, layer, read in self._layers:
            marker = _marker(layer)
            if marker is None or path not in self._read or self._read[path][0] is not marker:
                try:
                    self._read[path] = (marker, read(layer))
                except Exception as error:  # noqa: BLE001 - Keras, or a layer of a user's own, may raise anything
                    self._unsaved.append(f"the adapted state of the layer {layer.name} cannot be saved: {error}")
                    continue
            if self._read[path][1]:
                layers[path] = self._read[path][1]
        return AdaptedState(layers)


def finalize(model: Any) -> None:
    """Let every Normalization compute with the mean and the variance that its weights say.

    ``set_weights`` does not: without this, a Normalization that was not adapted in this process leaves its inputs as
    they are, and nothing says so.
    """
    for _, layer in layers_of(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


@contextmanager
def vocabularies_in_config(model: Any) -> Iterator[None]:
    """Let Keras save those vocabularies in the model's configuration that its file of a token a line would change."""
    changed = []
    for _, layer in layers_of(model):
        if _is_lookup(layer) and layer.input_vocabulary is None and layer.vocabulary_dtype == "string":
            tokens = layer.get_vocabulary()
            if "\n".join(tokens).splitlines() != tokens:
                changed.append(layer)
                layer.input_vocabulary = tokens
                layer.input_idf_weights = _term_weights(layer, len(tokens))
    try:
        yield
    finally:
        for layer in changed:
            layer.input_vocabulary = layer.input_idf_weights = None


def _reader(layer: Any) -> Callable[[Any], Parts] | None:
    if _is_lookup(layer):
        return _read_vocabulary
    if isinstance(layer, keras.layers.Discretization):
        return _read_boundaries
    has_own = any(_is_own(layer, name) for name in ("save_own_variables", "save_assets"))
    return _read_own if has_own else None


def _is_lookup(layer: Any) -> bool:
    return isinstance(layer, keras.layers.StringLookup | keras.layers.IntegerLookup)


def _is_own(layer: Any, method: str) -> bool:
    function = getattr(type(layer), method, None)
    return function is not None and function.__module__.partition(".")[0] != "keras"


def _marker(layer: Any) -> Any:
    """Return an object that is another one after each ``adapt``; None if there is no such object."""
    return getattr(layer, "lookup_table", None) if _is_lookup(layer) else None


def _read_vocabulary(layer: Any) -> Parts:
    if not int(layer.lookup_table.size()):
        return {}  # it was never adapted
    tokens = layer.get_vocabulary()
    parts = _as_arrays(tokens) if layer.vocabulary_dtype == "string" else {_NUMBERS: np.asarray(tokens, np.int64)}
    weights = _term_weights(layer, len(tokens))
    return parts if weights is None else {**parts, _TERM_WEIGHTS: weights}


def _as_arrays(tokens: Sequence[str]) -> dict[str, np.ndarray]:
    # An array of strings would take as much for each token as the longest one needs.
    encoded = [token.encode() for token in tokens]
    return {
        _TOKENS: np.frombuffer(b"".join(encoded), np.uint8),
        _LENGTHS: np.array([len(token) for token in encoded], np.int64),
    }


def _tokens(parts: Parts) -> list[Any]:
    if _NUMBERS in parts:
        return list(parts[_NUMBERS].tolist())
    text, ends = parts[_TOKENS].tobytes(), np.cumsum(parts[_LENGTHS]).tolist()
    return [text[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]


def _term_weights(layer: Any, tokens: int) -> np.ndarray | None:
    if layer.output_mode != "tf_idf":
        return None
    return np.asarray(layer.idf_weights)[:tokens]  # what follows is padding


def _read_boundaries(layer: Any) -> Parts:
    return {} if layer.bin_boundaries is None else {_BOUNDARIES: np.asarray(layer.bin_boundaries, np.float64)}


def _read_own(layer: Any) -> Parts:
    parts: dict[str, np.ndarray] = {}
    if _is_own(layer, "save_own_variables"):
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        parts |= {f"{_VARIABLE}{name}": np.array(value) for name, value in store.items()}
    if _is_own(layer, "save_assets"):
        with tempfile.TemporaryDirectory(prefix="tune-jobs-") as folder:
            layer.save_assets(folder)
            for path in sorted(file for file in Path(folder).rglob("*") if file.is_file()):
                name = path.relative_to(folder).as_posix()
                parts[f"{_FILE}{name}"] = np.frombuffer(path.read_bytes(), np.uint8)
    return parts


def _takes(layer: Any, parts: Parts) -> bool:
    if _TOKENS in parts or _NUMBERS in parts:
        return _is_lookup(layer)
    return isinstance(layer, keras.layers.Discretization) if _BOUNDARIES in parts else _reader(layer) is _read_own


def _load(layer: Any, parts: Parts) -> None:
    if _is_lookup(layer):
        _load_vocabulary(layer, parts)
    elif _BOUNDARIES in parts:
        layer.bin_boundaries = parts[_BOUNDARIES].tolist()
    else:
        _load_own(layer, parts)


def _load_vocabulary(layer: Any, parts: Parts) -> None:
    tokens, weights = _tokens(parts), parts.get(_TERM_WEIGHTS)
    now = _read_vocabulary_or_none(layer)
    if now is not None and now.keys() == parts.keys() and all(np.array_equal(now[name], parts[name]) for name in now):
        return
    layer.set_vocabulary(tokens, *(() if weights is None else (weights,)))
    if layer.input_vocabulary is not None:  # it is what Keras saves
        layer.input_vocabulary, layer.input_idf_weights = tokens, weights


def _read_vocabulary_or_none(layer: Any) -> Parts | None:
    try:
        return _read_vocabulary(layer)
    except Exception:  # noqa: BLE001 - a layer that was never adapted has none
        return None


def _load_own(layer: Any, parts: Parts) -> None:
    variables = {name.removeprefix(_VARIABLE): array for name, array in parts.items() if name.startswith(_VARIABLE)}
    if variables:
        layer.load_own_variables(variables)
    files = {name.removeprefix(_FILE): array for name, array in parts.items() if name.startswith(_FILE)}
    if files:
        with tempfile.TemporaryDirectory(prefix="tune-jobs-") as folder:
            for name, content in files.items():
                path = Path(folder, name)
                if not path.resolve().is_relative_to(Path(folder).resolve()):
                    raise ValueError(f"the file {name!r} lies outside of its folder")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.tobytes())
            layer.load_assets(folder)
