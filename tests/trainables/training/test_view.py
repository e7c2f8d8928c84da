"""What ``build_model`` sees of the data, and what a worker adapts only once."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tests.support.tiny_trainables import Tiny, blobs
from trainables import Data, InvalidTrainable, TrainingView, TrialSettings
from trainables.reuse.worker_cache import WorkerCache
from trainables.training.training import Training
from trainables.training.view import ArraySpec, call_build_model, takes_data

layers = keras.layers
WORDS = np.array(["red", "green", "blue", "red"] * 4)
LABELS = np.arange(16) % 3


def view(x: Any, y: Any = LABELS, made: dict[Any, Any] | None = None, **others: Any) -> TrainingView:
    return TrainingView(Data(train=(x, y), **others), made)


def test_it_has_the_form_of_the_examples() -> None:
    data = view({"words": WORDS, "sizes": np.zeros((16, 2), "float32")}, np.zeros((16, 5)))
    assert data.x_spec == {"words": ArraySpec((), "string"), "sizes": ArraySpec((2,), "float32")}
    assert data.y_spec == ArraySpec((5,), "float64")


def test_it_has_the_form_of_a_data_set_of_tensorflow() -> None:
    import tensorflow as tf

    class Source:
        """A split that is a data set, in whatever way it came there."""

        train = tf.data.Dataset.from_tensor_slices((np.zeros((8, 3), "float32"), np.zeros(8, "int64"))).batch(4)
        validation = class_names = None

    data = TrainingView(Source())  # type: ignore[arg-type]
    assert (data.x_spec, data.y_spec) == (ArraySpec((3,), "float32"), ArraySpec((), "int64"))
    assert data.classes is None
    assert data.adapt(layers.Normalization()).get_weights()[0].shape == (3,)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (LABELS, 3),
        (LABELS[:, None], 3),
        (LABELS == 1, 2),
        (np.eye(4)[LABELS], 4),
        (np.linspace(0, 1, 16), None),
        (LABELS - 1, None),
        (WORDS, None),
        ({"a": LABELS, "b": LABELS}, None),
    ],
)
def test_the_number_of_classes(y: Any, classes: int | None) -> None:
    assert view(WORDS, y).classes == classes


def test_classes_may_be_named_or_be_those_of_validation() -> None:
    assert view(WORDS, class_names=("a", "b", "c", "d")).classes == 4
    assert view(WORDS, validation=(WORDS, LABELS + 4)).classes == 7


def test_nothing_leads_to_the_test_split() -> None:
    data = view(WORDS, test=(WORDS, LABELS))
    assert not hasattr(data, "test")


def test_a_value_is_made_once_a_worker_and_key() -> None:
    made: dict[Any, Any] = {}
    calls: list[int] = []

    def make(value: int) -> int:
        calls.append(value)
        return value

    first, later = view(WORDS, made=made), view(WORDS, made=made)
    assert [data.once(("top", n), lambda n=n: make(n)) for data in (first, later) for n in (1, 2)] == [1, 2, 1, 2]
    assert calls == [1, 2]


NUMBERS = np.random.default_rng(0).normal(5, 3, (16, 4)).astype("float32")
TEXT = np.array([f"the {word} cat sat" for word in WORDS])


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (layers.Normalization, NUMBERS),
        (lambda: layers.Discretization(num_bins=3), NUMBERS),
        (layers.StringLookup, WORDS),
        (lambda: layers.StringLookup(output_mode="tf_idf"), WORDS),
        (layers.IntegerLookup, LABELS),
        (lambda: layers.TextVectorization(output_sequence_length=4), TEXT),
        (lambda: layers.TextVectorization(output_mode="tf_idf"), TEXT),
    ],
)
def test_a_layer_that_takes_what_an_earlier_one_learnt_is_as_if_adapted(make: Any, x: Any) -> None:
    import tensorflow as tf

    made: dict[Any, Any] = {}
    first = view(x, made=made).adapt(make())
    second = make()
    second.adapt = None  # it must not be called
    assert view(x, made=made).adapt(second) is second
    np.testing.assert_array_equal(second(tf.constant(x)), first(tf.constant(x)))


def test_other_layers_and_other_examples_are_adapted_anew() -> None:
    made: dict[Any, Any] = {}
    whole = view(WORDS, made=made).adapt(layers.StringLookup())
    part = view(WORDS[:2], LABELS[:2], made=made).adapt(layers.StringLookup())
    small = view(WORDS, made=made).adapt(layers.StringLookup(max_tokens=2))
    assert [lookup.vocabulary_size() for lookup in (whole, part, small)] == [4, 3, 2]
    columns = np.stack([NUMBERS[:, 0], NUMBERS[:, 1] + 100], axis=1)
    data = view(columns, made=made)
    low, high = (data.adapt(layers.Normalization(axis=None), columns[:, column]) for column in (0, 1))
    assert float(high.mean[0]) - float(low.mean[0]) > 50


def test_with_several_inputs_one_has_to_be_named() -> None:
    data = view({"words": WORDS, "numbers": NUMBERS})
    with pytest.raises(InvalidTrainable, match="2 inputs"):
        data.adapt(layers.StringLookup())
    assert data.adapt(layers.StringLookup(), data.train[0]["words"]).vocabulary_size() == 4


def with_data(config: Any, data: Any) -> Any:
    return config, data


def second_by_position(config: Any, view: Any, /) -> Any:
    return config, view


def by_keyword(config: Any, *, data: Any) -> Any:
    return config, data


def without(config: Any) -> Any:
    return config, None


def with_an_option(config: Any, verbose: bool = False) -> Any:
    return config, None


def with_anything(config: Any, *others: Any, **options: Any) -> Any:
    assert not others
    assert not options
    return config, None


@pytest.mark.parametrize("method", [with_data, second_by_position, by_keyword])
def test_a_method_that_asks_for_the_data_gets_them(method: Any) -> None:
    data = view(WORDS)
    assert takes_data(method)
    assert call_build_model(method, {"a": 1}, lambda: data) == ({"a": 1}, data)


@pytest.mark.parametrize("method", [without, with_an_option, with_anything])
def test_a_method_that_does_not_is_called_as_ever(method: Any) -> None:
    assert not takes_data(method)
    assert call_build_model(method, {"a": 1}, lambda: view(WORDS)) == ({"a": 1}, None)


class Scaled(Tiny):
    """Its layers are adapted to the data that it is given."""

    adapted = 0

    def build_model(self, config: dict[str, Any], data: TrainingView) -> keras.Model:  # type: ignore[override]
        scale = data.adapt(Counting())
        model = keras.Sequential([keras.Input(data.x_spec.shape), scale, layers.Dense(data.classes, "softmax")])
        model.compile(keras.optimizers.SGD(config["rate"]), "sparse_categorical_crossentropy")
        return model


class Counting(layers.Normalization):
    """Not Keras's own class, so that it is adapted by each trial."""

    def adapt(self, data: Any) -> None:
        Scaled.adapted += 1
        super().adapt(data)


def test_the_trials_of_a_worker_share_what_was_adapted() -> None:
    data = Data(train=blobs(48))
    cache = WorkerCache(data)
    for rate in (0.1, 0.2):
        Training(Shared.standalone(), {"rate": rate}, data, TrialSettings(), cache=cache)
    assert sum(key[0] == "adapted" for key in cache.made) == 1


class Shared(Scaled):
    """The same with a layer of Keras's own."""

    def build_model(self, config: dict[str, Any], data: TrainingView) -> keras.Model:  # type: ignore[override]
        scale = data.adapt(layers.Normalization())
        model = keras.Sequential([keras.Input(data.x_spec.shape), scale, layers.Dense(data.classes, "softmax")])
        model.compile(keras.optimizers.SGD(config["rate"]), "sparse_categorical_crossentropy")
        return model


def test_a_layer_of_a_users_own_is_adapted_by_each_trial() -> None:
    data = Data(train=blobs(48))
    cache = WorkerCache(data)
    for _ in range(2):
        Training(Scaled.standalone(), {"rate": 0.1}, data, TrialSettings(), cache=cache)
    assert Scaled.adapted == 2
