"""What Dense makes of a configuration, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import SearchSpace
from search_spaces.examples import (
    digits_mlp,
    fashion_mnist_dense,
    fashion_mnist_mlp,
    mnist_joint,
    mnist_mlp,
    mnist_sweeps,
)
from tests.support.examples import with_examples
from tests.support.outcomes import BeginTrial
from trainables import Data
from trainables.examples.dense import Dense
from trainables.examples.fashion_mnist_cnn import FashionMnistCnn

SPACES = [
    example.SPACE
    for example in (digits_mlp, fashion_mnist_dense, fashion_mnist_mlp, mnist_joint, mnist_mlp, mnist_sweeps)
]


class Small(Dense):
    input_shape = (4,)
    classes = 3
    defaults: ClassVar = {**Dense.defaults, "loss": "categorical_crossentropy"}


def one_hot_blobs(examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    classes = np.arange(examples) % 3
    x = np.random.default_rng(seed).normal(size=(examples, 4)) + classes[:, None]
    return x.astype(np.float32), np.eye(3, dtype=np.float32)[classes]


DATA = Data(one_hot_blobs(48, seed=0), one_hot_blobs(24, seed=1))
EVERYTHING = {
    "units": [8, 8],
    "batch_normalisation": True,
    "dropout": 0.2,
    "input_noise": 0.1,
    "regulariser": "l1",
    "weight_constraint": 2.0,
    "activity_regularisation": 1e-3,
    "optimizer": "rmsprop",
    "momentum": 0.5,
    "loss": "categorical_hinge",
    "early_stopping": 9,
    "batch_size": 16,
}


def build(**config: Any) -> keras.Model:
    return Small.standalone().build_model(config)


def kinds(model: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


def hidden(model: keras.Model) -> list[keras.layers.Dense]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)][:-1]


def test_the_layers_of_a_plain_network() -> None:
    assert kinds(build(units=[8, 6])) == ["Flatten", "Dense", "Dense", "Dense"]
    assert kinds(build(units=[8], dropout=0.5)) == ["Flatten", "Dense", "Dropout", "Dense"]
    assert [layer.units for layer in hidden(build(units=[8, 6]))] == [8, 6]
    assert [layer.units for layer in hidden(build(layers=3, nodes=5))] == [5, 5, 5]
    assert [layer.units for layer in hidden(build())] == [128]
    assert kinds(build(units=[])) == ["Flatten", "Dense"]


def test_the_layers_of_a_network_with_everything() -> None:
    model = build(units=[8, 8], batch_normalisation=True, dropout=0.5, input_noise=0.1)
    block = ["Dense", "BatchNormalization", "Activation", "Dropout"]
    assert kinds(model) == ["GaussianNoise", "Flatten", *block, *block, "Dense"]
    assert [layer.use_bias for layer in hidden(model)] == [False, False]


def test_features_come_before_the_dense_layers() -> None:
    model = FashionMnistCnn.standalone().build_model({"nodes": 64, "dropout": 0.3})
    convolutions = ["Conv2D", "MaxPooling2D"]
    assert kinds(model) == ["Reshape", *convolutions, *convolutions, "Flatten", "Dense", "Dropout", "Dense"]
    assert [layer.units for layer in hidden(model)] == [64]
    (stopping,) = FashionMnistCnn.standalone().fit_options({}).callbacks
    assert (stopping.monitor, stopping.patience) == ("val_loss", 3)


@pytest.mark.parametrize(
    ("config", "kind", "fields"),
    [
        ({"optimizer": "adam"}, "Adam", {"learning_rate": 1e-3, "beta_1": 0.9}),
        ({"optimizer": "adam", "momentum": 0.5}, "Adam", {"learning_rate": 1e-3, "beta_1": 0.5}),
        ({"optimizer": "rmsprop", "momentum": 0.5}, "RMSprop", {"learning_rate": 1e-3, "momentum": 0.5}),
        ({"optimizer": "sgd", "momentum": 0.99, "learning_rate": 0.1}, "SGD", {"learning_rate": 0.1, "momentum": 0.99}),
        ({"optimizer": "sgd"}, "SGD", {"learning_rate": 0.01, "momentum": 0.0}),
        ({"optimizer": "adagrad", "learning_rate": 0.1}, "Adagrad", {"learning_rate": 0.1}),
    ],
)
def test_optimizers(config: dict[str, Any], kind: str, fields: dict[str, float]) -> None:
    optimizer = build(**config).optimizer
    assert type(optimizer).__name__ == kind
    told = optimizer.get_config()
    assert {name: pytest.approx(told[name]) for name in fields} == fields


def test_penalties_and_constraints_are_those_of_the_hidden_layers() -> None:
    model = build(units=[8], regulariser="l2", strength=0.01, weight_constraint=2.0, activity_regularisation=1e-3)
    (layer,) = hidden(model)
    assert layer.kernel_regularizer.get_config() == pytest.approx({"l2": 0.01})
    assert layer.kernel_constraint.get_config()["max_value"] == 2.0
    assert layer.activity_regularizer.get_config() == pytest.approx({"l1": 1e-3})
    output = model.layers[-1]
    assert (output.kernel_regularizer, output.kernel_constraint, output.activity_regularizer) == (None, None, None)


def test_activations_are_penalised_where_they_are_activations() -> None:
    model = build(units=[8], batch_normalisation=True, activity_regularisation=1e-3, activation="tanh")
    (layer,) = hidden(model)
    assert layer.activity_regularizer is None
    (activation,) = [layer for layer in model.layers if isinstance(layer, keras.layers.Activation)]
    assert activation.activation is keras.activations.tanh
    assert activation.activity_regularizer.get_config() == pytest.approx({"l1": 1e-3})


def test_early_stopping_is_asked_for() -> None:
    assert Small.standalone().fit_options({}).callbacks == ()
    (stopping,) = Small.standalone().fit_options({"early_stopping": 5, "batch_size": 8}).callbacks
    assert (stopping.monitor, stopping.patience) == ("val_loss", 5)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("units", [8, 0], "a list of whole numbers"),
        ("units", 8, "a list of whole numbers"),
        ("layers", 0, "a whole number from 1 on"),
        ("nodes", True, "a whole number from 1 on"),
        ("activation", "rellu", "'relu'"),
        ("activation", None, "'relu'"),
        ("dropout", 1, "in [0, 1)"),
        ("batch_normalisation", 1, "True or False"),
        ("regulariser", "l3", "None, 'l1' or 'l2'"),
        ("strength", -1, "a positive number"),
        ("weight_constraint", 0, "a positive number, or None"),
        ("activity_regularisation", None, "a positive number"),
        ("input_noise", 2, "in [0, 1]"),
        ("optimizer", "adamw", "'adam', 'adagrad', 'rmsprop' or 'sgd'"),
        ("learning_rate", float("nan"), "a positive number, or None"),
        ("momentum", 1.0, "in [0, 1), or None"),
        ("loss", "crossentropy", "one of Keras's losses"),
        ("early_stopping", 0, "from 1 on, or None"),
    ],
)
def test_wrong_values_are_told_with_name_value_and_rule(name: str, value: Any, rule: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        build(**{name: value})
    assert f"The value of `{name}` is {value!r}, but must be" in str(caught.value)
    assert rule in str(caught.value)


def test_all_wrong_values_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"(?s)`dropout`.*\n.*`optimizer`"):
        build(optimizer="adamw", dropout=-1)


def test_adagrad_has_no_momentum() -> None:
    with pytest.raises(ValueError, match=r"`momentum` is 0\.5, but adagrad has none"):
        build(optimizer="adagrad", momentum=0.5)


def test_a_network_with_everything_is_trained(begin: BeginTrial) -> None:
    worker = begin(Small, EVERYTHING, DATA, metric="val_accuracy")
    results = [worker.step() for _ in range(2)]
    assert [(result["epoch"], result["error"]) for result in results] == [(1, None), (2, None)]


@pytest.mark.parametrize("loss", mnist_joint.SPACE.parameters["loss"].values)
def test_every_loss_is_trained_and_reports_accuracy(loss: str, begin: BeginTrial) -> None:
    worker = begin(Small, {"units": [8], "loss": loss, "learning_rate": 0.01}, DATA, metric="val_accuracy")
    result = worker.step()
    assert result["error"] is None
    assert 0 <= result["val_accuracy"] <= 1
    assert result["loss"] >= 0


@pytest.mark.parametrize("space", SPACES)
@given(seed=st.integers(0, 2**32 - 1))
@with_examples(8)
def test_every_configuration_of_the_shipped_spaces_is_built(space: SearchSpace, seed: int) -> None:
    config = space.sample(np.random.default_rng(seed))
    model = build(**config)
    assert [layer.units for layer in hidden(model)] == config.get(
        "units", [config.get("nodes")] * config.get("layers", 0)
    )
    assert kinds(model).count("Dropout") == (len(hidden(model)) if config.get("dropout") else 0)
    assert kinds(model).count("BatchNormalization") == (len(hidden(model)) if config.get("batch_normalisation") else 0)
    assert kinds(model).count("GaussianNoise") == (1 if config.get("input_noise") else 0)
    for layer in hidden(model):
        assert (layer.kernel_regularizer is None) == (config.get("regulariser") is None)
        assert (layer.kernel_constraint is None) == (config.get("weight_constraint") is None)
    assert type(model.optimizer).__name__.lower() == config["optimizer"]
    assert float(model.optimizer.learning_rate) == pytest.approx(config["learning_rate"])
    assert model.loss == config.get("loss", "categorical_crossentropy")
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)


def test_a_saved_model_loads_with_keras_alone(tmp_path: Path) -> None:
    model = build(**EVERYTHING)
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert kinds(again) == kinds(model)
    x, y = DATA.validation
    np.testing.assert_allclose(again.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5)


def test_a_wrong_value_is_a_failed_trial_and_an_unknown_key_a_mistake(begin: BeginTrial) -> None:
    assert "`optimizer` is 'adamw'" in begin(Small, {"optimizer": "adamw"}, DATA, metric="val_accuracy").step()["error"]
    assert "unknown 'drop_out'" in begin(Small, {"drop_out": 0.5}, DATA, metric="val_accuracy").step()["mistake"]
