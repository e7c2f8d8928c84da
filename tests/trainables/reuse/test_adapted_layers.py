"""Models with adapted layers go from trial to trial if their layers have learnt the same, and only then."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from trainables import Data, KerasTrainable, TrainingView, TrialSettings

layers = keras.layers

WORDS = np.array(["red", "green", "blue", "red"] * 8)
TEXT = np.array([f"the {word} cat sat" for word in WORDS])
NUMBERS = np.random.default_rng(0).normal(5, 3, (32, 4)).astype("float32")
LABELS = (np.arange(32) % 4) // 2

LAYERS: dict[str, tuple[Any, np.ndarray, str]] = {
    "Normalization": (layers.Normalization, NUMBERS, "float32"),
    "Discretization": (lambda: layers.Discretization(num_bins=4, output_mode="multi_hot"), NUMBERS, "float32"),
    "StringLookup": (lambda: layers.StringLookup(output_mode="one_hot"), WORDS, "string"),
    "StringLookup(tf_idf)": (lambda: layers.StringLookup(output_mode="tf_idf"), WORDS[:, None], "string"),
    "IntegerLookup": (lambda: layers.IntegerLookup(output_mode="one_hot"), np.arange(32) % 5, "int64"),
    "TextVectorization": (lambda: layers.TextVectorization(output_mode="multi_hot"), TEXT, "string"),
}


class Adapted(KerasTrainable):
    """One preprocessing layer and a dense one; it is adapted to a part of the examples."""

    batch_size = 8

    def __init__(self, name: str = "", *, once: bool = True) -> None:
        self.make, self.x, self.kind = LAYERS[name]
        self.once = once

    def load_data(self) -> Data:
        return Data(train=(self.x, LABELS))

    def build_model(self, config: dict[str, Any], data: TrainingView) -> keras.Model:  # type: ignore[override]
        layer = self.make()
        examples = data.train[0][: config.get("examples", 32)]
        if self.once:
            data.adapt(layer, examples)
        else:
            layer.adapt(examples)
        inputs = keras.Input(self.x.shape[1:], dtype=self.kind)
        features = keras.ops.cast(layer(inputs), "float32")
        model = keras.Model(inputs, layers.Dense(2, "softmax")(features))
        model.compile(keras.optimizers.SGD(config["rate"]), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


def trained(worker: Adapted) -> tuple[Any, list[np.ndarray]]:
    report = worker.step()
    assert report["error"] is None, report["traceback"]
    model = worker.current_trial.training.model
    return model, model.get_weights()


def begun(trainable: Adapted, config: dict[str, Any]) -> Adapted:
    keras.utils.clear_session()  # a new worker numbers its layers from the beginning
    trainable.setup(config, settings=TrialSettings(max_epochs=1))
    return trainable


@pytest.mark.parametrize(("name", "once"), [*((name, True) for name in LAYERS), ("TextVectorization", False)])
def test_a_model_is_traced_again_only_if_its_layers_have_learnt_something_else(name: str, once: bool) -> None:
    worker = begun(Adapted(name, once=once), {"rate": 0.1})
    first, _ = trained(worker)
    worker.reset_config({"rate": 0.3})
    second, weights = trained(worker)
    assert second is first
    worker.reset_config({"rate": 0.3, "examples": 2})
    third, _ = trained(worker)
    assert third is not first
    worker.cleanup()
    fresh = begun(Adapted(name, once=once), {"rate": 0.3})
    _, expected = trained(fresh)
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    fresh.cleanup()
