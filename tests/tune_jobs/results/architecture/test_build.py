"""Descriptions of models: all that Keras writes is built again, and all else is refused in one sentence."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tune_jobs.results.architecture.build import build_described
from tune_jobs.results.architecture.checks import DescriptionError

L = keras.layers
VECTOR, SEQUENCE, IMAGE, FILM = (8,), (6, 4), (16, 16, 3), (8, 8, 8, 2)
LAYERS: list[tuple[str, tuple[int, ...], Callable[[], Any]]] = [
    ("Dense", VECTOR, lambda: L.Dense(3, "relu", kernel_regularizer="l2", kernel_constraint="max_norm")),
    ("EinsumDense", SEQUENCE, lambda: L.EinsumDense("abc,cd->abd", output_shape=(None, 5))),
    ("Embedding", VECTOR, lambda: L.Embedding(10, 3)),
    ("Activation", VECTOR, lambda: L.Activation("relu")),
    *[(name, VECTOR, getattr(L, name)) for name in ("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Flatten")],
    *[(name, VECTOR, getattr(L, name)) for name in ("Identity", "UnitNormalization", "LayerNormalization")],
    *[(name, VECTOR, getattr(L, name)) for name in ("RMSNormalization", "BatchNormalization", "Normalization")],
    ("Dropout", VECTOR, lambda: L.Dropout(0.1, seed=2**40)),
    ("GaussianNoise", VECTOR, lambda: L.GaussianNoise(0.1)),
    ("AlphaDropout", VECTOR, lambda: L.AlphaDropout(0.1)),
    ("Normalization of numbers", VECTOR, lambda: L.Normalization(mean=[1.0] * 8, variance=[1.0] * 8)),
    ("GroupNormalization", IMAGE, lambda: L.GroupNormalization(3)),
    ("SpectralNormalization", VECTOR, lambda: L.SpectralNormalization(L.Dense(3))),
    *[(name, SEQUENCE, lambda name=name: getattr(L, name)(3, 2)) for name in ("Conv1D", "SeparableConv1D")],
    *[(name, IMAGE, lambda name=name: getattr(L, name)(3, 2)) for name in ("Conv2D", "SeparableConv2D")],
    *[(name, IMAGE, lambda name=name: getattr(L, name)(3, 2)) for name in ("Conv2DTranspose",)],
    ("DepthwiseConv2D", IMAGE, lambda: L.DepthwiseConv2D(2)),
    ("Conv3D", FILM, lambda: L.Conv3D(3, 2)),
    *[(name, SEQUENCE, lambda name=name: getattr(L, name)(3, dropout=0.1)) for name in ("LSTM", "GRU", "SimpleRNN")],
    ("unrolled", SEQUENCE, lambda: L.LSTM(3, unroll=True)),
    ("Bidirectional", SEQUENCE, lambda: L.Bidirectional(L.GRU(3), merge_mode="sum")),
    ("RNN of cells", SEQUENCE, lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2)])),
    ("TimeDistributed", SEQUENCE, lambda: L.TimeDistributed(L.Dense(3))),
    ("ConvLSTM2D", (3, 8, 8, 2), lambda: L.ConvLSTM2D(2, 3)),
    *[(name, SEQUENCE, lambda name=name: getattr(L, name)(2)) for name in ("MaxPooling1D", "AveragePooling1D")],
    *[(name, SEQUENCE, getattr(L, name)) for name in ("GlobalMaxPooling1D", "UpSampling1D", "ZeroPadding1D")],
    *[(name, IMAGE, getattr(L, name)) for name in ("MaxPooling2D", "GlobalAveragePooling2D", "RandomFlip")],
    *[(name, IMAGE, lambda name=name: getattr(L, name)(0.1)) for name in ("RandomRotation", "RandomContrast")],
    ("RandomTranslation", IMAGE, lambda: L.RandomTranslation(0.1, 0.1)),
    ("Rescaling", IMAGE, lambda: L.Rescaling(1 / 255)),
    ("Resizing", IMAGE, lambda: L.Resizing(8, 8)),
    ("Reshape", VECTOR, lambda: L.Reshape((2, 4))),
    ("Permute", SEQUENCE, lambda: L.Permute((2, 1))),
    ("RepeatVector", VECTOR, lambda: L.RepeatVector(3)),
    ("Masking", SEQUENCE, L.Masking),
    ("CategoryEncoding", VECTOR, lambda: L.CategoryEncoding(5, output_mode="multi_hot")),
    ("Discretization", VECTOR, lambda: L.Discretization(bin_boundaries=[0.0, 1.0])),
    ("Hashing", VECTOR, lambda: L.Hashing(5)),
    ("IntegerLookup", VECTOR, lambda: L.IntegerLookup(vocabulary=[1, 2, 2**50])),
    ("MelSpectrogram", (4000,), L.MelSpectrogram),
    ("float16", VECTOR, lambda: L.Dense(3, dtype="mixed_float16")),
    ("initializers", VECTOR, lambda: L.Dense(3, kernel_initializer=keras.initializers.Orthogonal(seed=3))),
]
WHOLE_NUMBERS = {"Embedding", "CategoryEncoding", "IntegerLookup", "Hashing"}


def attention() -> Any:
    x = keras.Input((6, 8))
    y = L.GroupQueryAttention(4, 4, 2)(L.MultiHeadAttention(2, 4)(x, x), x)
    return keras.Model(x, L.Concatenate()([L.AdditiveAttention()([y, L.Attention()([y, x])]), L.Add()([y, x])]))


def texts() -> Any:
    x = keras.Input((1,), dtype="string")
    return keras.Model(x, L.Embedding(9, 3)(L.TextVectorization(max_tokens=9)(x)))


def looked_up() -> Any:
    x = keras.Input((1,), dtype="string")
    return keras.Model(x, L.StringLookup(vocabulary=["a", "b"])(x))


def nested() -> Any:
    x = keras.Input((8,))
    inner = keras.Sequential([keras.Input((8,)), L.Dense(3), L.Dropout(0.1)])
    return keras.Model(x, {"out": inner(x) * 2 + keras.ops.sum(x, axis=-1, keepdims=True)})


def stateful() -> Any:
    x = keras.Input((6, 4), batch_size=2)
    return keras.Model(x, L.LSTM(3, stateful=True)(x))


MODELS = [attention, texts, looked_up, nested, stateful]


def small() -> Any:
    return keras.Sequential([keras.Input((8,)), L.Dense(3, "relu", name="wide"), L.Dense(1)])


def build(tmp_path: Path, described: Any, model: Any) -> Any:
    path = tmp_path / "model.json"
    path.write_text(described if isinstance(described, str) else json.dumps(described))
    return build_described(path, [tuple(weight.shape) for weight in model.weights])


def shapes(model: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in model.weights]


@pytest.mark.parametrize(("name", "shape", "layer"), LAYERS, ids=[name for name, *_ in LAYERS])
def test_each_layer_of_keras_comes_back(
    tmp_path: Path, name: str, shape: tuple[int, ...], layer: Callable[[], Any]
) -> None:
    dtype = "int64" if name in WHOLE_NUMBERS else "float32"
    model = keras.Sequential([keras.Input(shape, dtype=dtype), layer()])
    assert shapes(build(tmp_path, model.to_json(), model)) == shapes(model)


@pytest.mark.parametrize("made", MODELS)
def test_each_kind_of_model_comes_back(tmp_path: Path, made: Callable[[], Any]) -> None:
    model = made()
    assert shapes(build(tmp_path, model.to_json(), model)) == shapes(model)


def first(described: dict[str, Any]) -> dict[str, Any]:
    return described["config"]["layers"][1]


def put(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda described: first(described)["config"].update({name: value})


def replaced(**entries: object) -> Callable[[dict[str, Any]], object]:
    return lambda described: first(described).update(entries)


LAMBDA = {"class_name": "__lambda__", "config": {"value": "AAAA"}}
FUNCTION = {"module": "os", "class_name": "function", "config": "system", "registered_name": "function"}
EVIL: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (put("units", 10**12), "`wide` has, as `units`, 1000000000000, but must have at most"),
    (put("units", 10**9), r"weight `.*wide/kernel` has the shape \(8, 1000000000\), but the checkpoint's has \(8, 3\)"),
    (put("units", 4), r"has the shape \(8, 4\), but the checkpoint's has \(8, 3\)"),
    (put("units", -1), "Keras cannot build its layer `wide`: Received an invalid value for `units`"),
    (put("units", "many"), "Keras cannot build its layer `wide`"),
    (put("units", None), "Keras cannot build its layer `wide`"),
    (put("units", 1e300), "Keras cannot build its layer `wide`"),
    (put("unheard", 1), "`wide` is 'Dense', which has no `unheard`"),
    (put("activation", LAMBDA), "`wide` has, as `activation`, '__lambda__'"),
    (put("activation", FUNCTION), "`wide` has, as `activation`, 'function' of 'os', which is neither one of"),
    (put("activation", "unheard of"), "Keras cannot build its layer `wide`"),
    (
        put("kernel_initializer", {**FUNCTION, "class_name": "Popen", "module": "subprocess"}),
        "as `kernel_initializer`",
    ),
    (put("kernel_initializer", {"class_name": "Constant", "config": {"value": 1}, "module": "os.path"}), "'os.path'"),
    (replaced(class_name="Lambda"), "`?wide`?|'Lambda' of 'keras.layers', which is neither"),
    (replaced(class_name="TFSMLayer"), "'TFSMLayer' of 'keras.layers', which is neither"),
    (replaced(class_name="Mine", module="mine", registered_name="mine>Mine"), "'Mine' of 'mine'"),
    (replaced(class_name=5), "is no text"),
    (replaced(class_name=None), "is no text"),
    (replaced(registered_name=[]), "is no text"),
    (replaced(module="keras.utils", class_name="get_file"), "'get_file' of 'keras.utils'"),
    (replaced(module="keras.src.utils", class_name="file_utils"), "'file_utils' of 'keras.src.utils'"),
    (replaced(evil=1), "`wide` is 'Dense' with the key 'evil', which Keras does not write"),
    (replaced(config=5), "Keras cannot build its layer `Dense`"),
    (replaced(config=None), "Keras cannot build its layer `Dense`"),
    (replaced(class_name="StringLookup", config={"name": "wide", "vocabulary": "/etc/passwd"}), "the name of a file"),
    (lambda described: described.pop("config"), "or no `config`"),
    (lambda described: described["config"].update(layers=5), "Keras cannot build"),
    (lambda described: described["config"]["layers"].clear(), "Keras cannot build it"),
    (lambda described: described["config"]["layers"].pop(), "It has 2 weights, but the checkpoint has 4"),
    (lambda described: described.update(module="os", class_name="system"), "`sequential.*` is 'system' of 'os'"),
    (lambda described: described.pop("class_name"), "has no `class_name`"),
]


@pytest.mark.parametrize(("spoil", "sentence"), EVIL, ids=[sentence[:40] for _, sentence in EVIL])
def test_what_is_not_on_the_list_is_refused_in_a_sentence(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    model = small()
    described = json.loads(model.to_json())
    spoil(described)
    began = time.process_time()
    with pytest.raises(DescriptionError, match=sentence) as refused:
        build(tmp_path, described, model)
    assert len(str(refused.value)) < 700
    assert "\n" not in str(refused.value)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", "[" * 100_000, '{"class_name":' * 50_000, "\x00", '"x"'])
def test_what_is_no_description_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DescriptionError):
        build(tmp_path, text, small())


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    model = small()
    described = json.loads(model.to_json())
    deep: Any = 1
    for _ in range(100):
        deep = {"x": [deep]}
    first(described)["config"]["units"] = deep
    with pytest.raises(DescriptionError, match="nested more than"):
        build(tmp_path, described, model)


def test_too_many_layers_are_refused(tmp_path: Path) -> None:
    model = small()
    described = json.loads(model.to_json())
    described["config"]["layers"] += [first(described)] * 10_000
    began = time.process_time()
    with pytest.raises(DescriptionError, match="It has 10003 layers"):
        build(tmp_path, described, model)
    assert time.process_time() - began < 5


def test_a_long_unrolled_layer_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((6, 4)), L.LSTM(3, unroll=True)])
    described = model.to_json().replace("6, 4]", "1000000000, 4]")
    with pytest.raises(DescriptionError, match="unrolled"):
        build(tmp_path, described, model)


def test_what_the_user_has_registered_is_built(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("test_model_description")
    class Scaled(L.Layer):
        def __init__(self, factor: float = 2.0, **settings: Any) -> None:
            super().__init__(**settings)
            self.factor = factor

        def call(self, x: Any) -> Any:
            return x * self.factor

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    @keras.saving.register_keras_serializable("test_model_description")
    def doubled(x: Any) -> Any:
        return x * 2

    try:
        model = keras.Sequential([keras.Input((8,)), L.Dense(3, doubled), Scaled(3.0)])
        assert build(tmp_path, model.to_json(), model).layers[1].factor == 3.0
    finally:
        for name in [name for name in keras.saving.get_custom_objects() if name.startswith("test_model_description>")]:
            keras.saving.get_custom_objects().pop(name)
    with pytest.raises(DescriptionError, match="neither one of Keras's own nor registered"):
        build(tmp_path, model.to_json(), model)


def test_a_loss_of_the_users_own_leaves_the_model_uncompiled(tmp_path: Path) -> None:
    model = small()
    model.compile("adam", "mse", metrics=["mae"])
    assert build(tmp_path, model.to_json(), model).compiled
    model.compile("adam", lambda y, z: keras.ops.mean(y - z))
    assert not build(tmp_path, model.to_json(), model).compiled


ODD = [
    None,
    0,
    -1,
    10**6,
    10**12,
    1e300,
    math.nan,
    "",
    "relu",
    "a" * 10_000,
    [],
    {},
    [None],
    {"x": 1},
    True,
    "/etc/passwd",
]


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*place, key)
            yield from places(each, (*place, key))


@pytest.mark.parametrize("made", [small, nested, stateful])
def test_any_odd_value_anywhere_is_built_or_refused_in_a_sentence(tmp_path: Path, made: Callable[[], Any]) -> None:
    model = made()
    text, generator = model.to_json(), np.random.default_rng(3)
    for _ in range(40):
        described = json.loads(text)
        all_places = list(places(described))
        *path, last = all_places[generator.integers(len(all_places))]
        owner = described
        for key in path:
            owner = owner[key]
        owner[last] = ODD[generator.integers(len(ODD))]
        refused = ""
        try:
            assert shapes(build(tmp_path, described, model)) == shapes(model)
        except DescriptionError as error:
            refused = str(error)
        assert "\n" not in refused
        assert len(refused) < 700
