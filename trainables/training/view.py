"""The view that a model's builder has of the data: training and validation examples, never those of the test."""

from __future__ import annotations

import hashlib
import inspect
import json
import weakref
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np

from trainables.data import Data
from trainables.data.labels import are_one_hot
from trainables.data.nested import leaves
from trainables.settings import InvalidTrainable
from trainables.training.adapted_state import AdaptedLayers, finalize

_ADAPTABLE = (
    keras.layers.Normalization,
    keras.layers.Discretization,
    keras.layers.StringLookup,
    keras.layers.IntegerLookup,
    keras.layers.TextVectorization,
)

Made = TypeVar("Made")
Layer = TypeVar("Layer")


@dataclass(frozen=True)
class ArraySpec:
    """The form of one example of an array.

    Attributes:
        shape: The shape without the axis of examples; None stands for a size that differs between examples.
        dtype: The type of the numbers, by Keras's name; "string" for text.
    """

    shape: tuple[int | None, ...]
    dtype: str


class TrainingView:
    """The data of a trial as ``build_model(self, config, data)`` gets it.

    Args:
        data: The data of the trial.
        made: What a worker's trials have made of the data so far: see ``once``.

    Example:
        >>> import numpy as np
        >>> from trainables import Data, TrainingView
        >>> data = TrainingView(Data(train=(np.zeros((6, 4), "float32"), np.array([0, 1, 2, 0, 1, 2]))))
        >>> data.x_spec, data.classes
        (ArraySpec(shape=(4,), dtype='float32'), 3)
        >>> data.once("the mean", lambda: float(data.train[0].mean()))
        0.0
    """

    def __init__(self, data: Data, made: dict[Hashable, Any] | None = None) -> None:
        self._data = data
        self._made = {} if made is None else made

    @property
    def train(self) -> Any:
        """The training split, as ``load_data`` gave it."""
        return self._data.train

    @property
    def validation(self) -> Any:
        """The validation split; None without one."""
        return self._data.validation

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes 0, 1, …; None where ``load_data`` gave none."""
        names = self._data.class_names
        return None if names is None else tuple(names)

    @property
    def x_spec(self) -> Any:
        """The ``ArraySpec`` of each array of x, in x's structure, for ``keras.Input(spec.shape, dtype=spec.dtype)``."""
        return self._spec(0)

    @property
    def y_spec(self) -> Any:
        """The ``ArraySpec`` of each array of y, in the structure of y."""
        return self._spec(1)

    @property
    def classes(self) -> int | None:
        """The number of classes.

        It is that of their names, of the columns of one-hot labels, or the highest label and one. It is
        None if the labels are no classes, or cannot be seen without reading the whole data.
        """
        if self.class_names:
            return len(self.class_names)
        splits = [split for split in (self.train, self.validation) if isinstance(split, tuple)]
        labels = [array for split in splits for array in leaves(split[1])]
        if not labels or len(labels) != len(splits):
            return None
        if all(array.ndim == 2 and array.shape[1] > 1 and are_one_hot(array) for array in labels):
            return int(labels[0].shape[1])
        if any(array.dtype.kind not in "biu" or array.ndim > 2 or array.min() < 0 for array in labels):
            return None
        return max(int(array.max()) for array in labels) + 1

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what ``make`` returns, made by the first trial of a worker and kept for its later ones.

        Keep vocabularies, arrays and numbers. A layer must not be kept: it would belong to the models of several
        trials.

        Args:
            key: Names the value, with everything of the configuration on which it depends.
            make: Makes the value of the data.

        Example:
            >>> import numpy as np
            >>> from trainables import Data, TrainingView
            >>> data = TrainingView(Data(train=(np.arange(6.0), np.zeros(6))))
            >>> [data.once(("top", 2), lambda: sorted(data.train[0])[-2:]) for _ in range(2)]
            [[np.float64(4.0), np.float64(5.0)], [np.float64(4.0), np.float64(5.0)]]
        """
        entry = ("once", key)
        if entry not in self._made:
            self._made[entry] = make()
        value: Made = self._made[entry]
        return value

    def adapt(self, layer: Layer, x: Any = None) -> Layer:
        """Adapt a preprocessing layer to training examples, unless an equal one was adapted to the same ones before.

        A worker adapts once for all its trials: a later trial's layer takes what the first one learnt. It is adapted
        again only if its own configuration differs (another ``max_tokens``), or the examples do.

        Args:
            layer: A new layer of Keras with a method ``adapt``.
            x: The examples; None: the inputs of the training split, if they are one array or a ``tf.data.Dataset``.

        Returns:
            The layer.

        Raises:
            InvalidTrainable: The training split has several inputs and ``x`` says of none of them that it is meant.

        Example:
            >>> import keras
            >>> import numpy as np
            >>> from trainables import Data, TrainingView
            >>> data = TrainingView(Data(train=(np.array(["a", "b", "a"]), np.zeros(3))))
            >>> data.adapt(keras.layers.StringLookup()).vocabulary_size()
            3
        """
        examples = self._inputs() if x is None else x
        adapted: Any = layer
        key = self._key(adapted, x, examples)
        if key is None:
            adapted.adapt(examples)
        elif key in self._made:
            _give(adapted, self._made[key])
        else:
            adapted.adapt(examples)
            self._made[key] = _learnt(adapted)
        return layer

    def _spec(self, index: int) -> Any:
        if isinstance(self.train, tuple):
            return keras.tree.map_structure(_spec_of_array, self.train[index])
        element = getattr(self.train, "element_spec", None)
        if not isinstance(element, tuple) or len(element) <= index:
            return None
        return keras.tree.map_structure(_spec_of_tensor, element[index])

    def _inputs(self) -> Any:
        if isinstance(self.train, tuple):
            arrays = list(leaves(self.train[0]))
            if len(arrays) == 1:
                return arrays[0]
            raise InvalidTrainable(
                f"data.adapt(layer) was called, but the training split has {len(arrays)} inputs: name the one to adapt "
                'to, as in data.adapt(layer, data.train[0]["size"]).'
            )
        if hasattr(self.train, "element_spec"):
            return self.train.map(lambda x, *_: x)
        raise InvalidTrainable(
            f"data.adapt(layer) was called, but the training split is a {type(self.train).__name__}: give the examples "
            "to adapt to, as in data.adapt(layer, examples)."
        )

    def _key(self, layer: Any, x: Any, examples: Any) -> Hashable | None:
        if type(layer) not in _ADAPTABLE:
            return None
        try:
            config = dict(keras.saving.serialize_keras_object(layer)["config"], name="")
            description = json.dumps(config, sort_keys=True)
        except Exception:  # noqa: BLE001 - a function of a user's own may not be described
            return None
        content = self._identity(self.train if x is None and not isinstance(self.train, tuple) else examples)
        return None if content is None else ("adapted", type(layer).__name__, description, content)

    def _identity(self, examples: Any) -> Hashable | None:
        """Return what tells examples from others: their content, or the object where the content is not at hand."""
        entry = ("identity", id(examples))
        known = self._made.get(entry)
        if known is not None and known[0]() is examples:
            return known[1]  # type: ignore[no-any-return]
        if isinstance(examples, np.ndarray) and examples.dtype != object:
            content = np.ascontiguousarray(examples)
            digest = hashlib.blake2b(content.view(np.uint8).data if content.size else b"").hexdigest()
            identity: Hashable = (str(examples.dtype), examples.shape, digest)
        else:
            identity = ("object", len(self._made), id(examples))
        try:
            self._made[entry] = (weakref.ref(examples), identity)
        except TypeError:
            return identity if isinstance(examples, np.ndarray) else None
        return identity


def takes_data(build_model: Callable[..., Any]) -> bool:
    """Return whether a ``build_model`` asks for the data: its parameter ``data``, or a second one without default."""
    return _data_argument(build_model) is not None


def call_build_model(
    build_model: Callable[..., Any], config: Mapping[str, Any], view: Callable[[], TrainingView]
) -> Any:
    """Call a ``build_model`` with the configuration, and with the data if it asks for them.

    Args:
        build_model: The method of a trainable.
        config: The configuration of the trial.
        view: Returns the data; called only if the method asks for them.
    """
    argument = _data_argument(build_model)
    if argument is None:
        return build_model(dict(config))
    return build_model(dict(config), **{argument: view()}) if argument else build_model(dict(config), view())


def build_outside_of_a_run(trainable: Any, config: Mapping[str, Any], data: Callable[[], Data]) -> Any:
    """Return the model that a trainable builds, for loading weights into it.

    Args:
        trainable: An instance of a trainable.
        config: The configuration of the trial.
        data: Returns the data that the trial was trained on; called only if the model depends on them.
    """
    return call_build_model(trainable.build_model, config, lambda: TrainingView(data()))


def _data_argument(build_model: Callable[..., Any]) -> str | None:
    """Return the keyword by which a method takes the data, "" if by position, None if it takes none."""
    try:
        parameters = list(inspect.signature(build_model).parameters.values())[1:]
    except (TypeError, ValueError):
        return None
    for parameter in parameters:
        if parameter.name == "data" and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return "" if parameter.kind is parameter.POSITIONAL_ONLY else "data"
    second = parameters[0] if parameters else None
    by_position = second is not None and second.kind in (second.POSITIONAL_ONLY, second.POSITIONAL_OR_KEYWORD)
    return "" if second is not None and by_position and second.default is second.empty else None


def _spec_of_array(array: Any) -> ArraySpec:
    is_text = array.dtype.kind in "US"
    return ArraySpec(tuple(array.shape[1:]), "string" if is_text else str(array.dtype))


def _spec_of_tensor(spec: Any) -> ArraySpec:
    shape = spec.shape
    return ArraySpec(() if shape.rank is None else tuple(shape)[1:], str(spec.dtype.name))


def _learnt(layer: Any) -> tuple[Any, ...]:
    # The summary is what a Discretization has counted. With it, models of later trials are traced like the first one.
    summary = layer.summary if isinstance(layer, keras.layers.Discretization) else None
    return AdaptedLayers(layer).state(), layer.get_build_config(), layer.get_weights(), summary


def _give(layer: Any, learnt: tuple[Any, ...]) -> None:
    state, build_config, weights, summary = learnt
    if build_config:
        layer.build_from_config(build_config)
    state.load_into(layer)
    if weights:
        layer.set_weights(weights)
    if summary is not None:
        layer.summary = summary
    finalize(layer)
