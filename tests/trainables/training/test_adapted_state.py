"""Every preprocessing layer of Keras: a model that is made of its description and its checkpoint predicts the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.adapted_layers import ADAPTED, IMAGES, NUMBERS, SOUND, WHOLE, WORDS
from tests.support.tiny_trainables import Tiny, tiny_data
from trainables import Data, TrialSettings
from trainables.storage import checkpoint
from trainables.storage.checkpoint import CheckpointError, Snapshot
from trainables.training.adapted_state import PREFIX, AdaptedLayers, AdaptedState, finalize, vocabularies_in_config
from trainables.training.executions import Executions
from trainables.training.training import Training

layers = keras.layers

OTHERS: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "Hashing": (lambda: layers.Hashing(16, salt=7), WORDS),
    "CategoryEncoding": (lambda: layers.CategoryEncoding(12), WHOLE),
    "Rescaling": (lambda: layers.Rescaling(1 / 255), NUMBERS),
    "MelSpectrogram": (lambda: layers.MelSpectrogram(fft_length=256, num_mel_bins=8), SOUND),
    "STFTSpectrogram": (
        lambda: layers.STFTSpectrogram(frame_length=64, frame_step=32, fft_length=64),
        SOUND[..., None],
    ),
    "AugMix": (lambda: layers.AugMix((0, 255)), IMAGES),
    "AutoContrast": (lambda: layers.AutoContrast(value_range=(0, 255)), IMAGES),
    "CenterCrop": (lambda: layers.CenterCrop(8, 8), IMAGES),
    "ContrastLimitedAdaptiveHistogramEqualization": (
        lambda: layers.ContrastLimitedAdaptiveHistogramEqualization((0, 255)),
        IMAGES,
    ),
    "CutMix": (layers.CutMix, IMAGES),
    "Equalization": (layers.Equalization, IMAGES),
    "MixUp": (layers.MixUp, IMAGES),
    "Pipeline": (lambda: layers.Pipeline([layers.Rescaling(2.0), layers.CenterCrop(8, 8)]), IMAGES),
    "RandAugment": (layers.RandAugment, IMAGES),
    "RandomBrightness": (lambda: layers.RandomBrightness(0.2), IMAGES),
    "RandomColorDegeneration": (lambda: layers.RandomColorDegeneration(0.5), IMAGES),
    "RandomColorJitter": (lambda: layers.RandomColorJitter((0, 255)), IMAGES),
    "RandomContrast": (lambda: layers.RandomContrast(0.2), IMAGES),
    "RandomCrop": (lambda: layers.RandomCrop(16, 16), IMAGES),
    "RandomElasticTransform": (layers.RandomElasticTransform, IMAGES),
    "RandomErasing": (layers.RandomErasing, IMAGES),
    "RandomFlip": (layers.RandomFlip, IMAGES),
    "RandomGaussianBlur": (lambda: layers.RandomGaussianBlur(sigma=1.0), IMAGES),
    "RandomGrayscale": (layers.RandomGrayscale, IMAGES),
    "RandomHue": (lambda: layers.RandomHue(0.2, (0, 255)), IMAGES),
    "RandomInvert": (layers.RandomInvert, IMAGES),
    "RandomPerspective": (layers.RandomPerspective, IMAGES),
    "RandomPosterization": (lambda: layers.RandomPosterization(4), IMAGES),
    "RandomRotation": (lambda: layers.RandomRotation(0.2), IMAGES),
    "RandomSaturation": (lambda: layers.RandomSaturation(0.5), IMAGES),
    "RandomSharpness": (lambda: layers.RandomSharpness(0.5), IMAGES),
    "RandomShear": (layers.RandomShear, IMAGES),
    "RandomTranslation": (lambda: layers.RandomTranslation(0.2, 0.2), IMAGES),
    "RandomZoom": (lambda: layers.RandomZoom(0.2), IMAGES),
    "Resizing": (lambda: layers.Resizing(8, 8), IMAGES),
    "Solarization": (layers.Solarization, IMAGES),
}

# Those with more than one input, or of bounding boxes: tested below, or nothing that a model predicts with.
ELSEWHERE = {"HashedCrossing", "MaxNumBoundingBoxes"}


def as_input(x: np.ndarray) -> Any:
    import tensorflow as tf

    return tf.constant(x)


def model_of(layer: Any, x: np.ndarray) -> keras.Model:
    inputs = keras.Input(x.shape[1:], dtype="string" if x.dtype.kind == "U" else str(x.dtype))
    features = layers.Flatten()(keras.ops.cast(layer(inputs), "float32"))
    return keras.Model(inputs, layers.Dense(2)(features))


def adapted_model(name: str) -> tuple[keras.Model, np.ndarray]:
    make, x = ADAPTED[name]
    layer = make()
    layer.adapt(x)
    return model_of(layer, x), x


def through_files(model: Any, folder: Path) -> Snapshot:
    adapted = AdaptedLayers(model).state()
    checkpoint.write(folder, Snapshot({"epoch": 1, PREFIX: list(adapted.layers)}, adapted.arrays))
    return checkpoint.read(folder)


def loaded(model: Any, snapshot: Snapshot) -> Any:
    other = keras.models.model_from_json(model.to_json())
    AdaptedState.of_snapshot(snapshot).load_into(other)
    other.set_weights(model.get_weights())
    finalize(other)
    return other


def test_the_lists_have_every_preprocessing_layer_of_keras() -> None:
    kinds = {
        name
        for name, kind in vars(layers).items()
        if inspect.isclass(kind) and ".preprocessing." in kind.__module__ and name == kind.__name__
    }
    tested = {name.partition("(")[0] for name in (*ADAPTED, *OTHERS)}
    assert kinds == tested | ELSEWHERE


@pytest.mark.parametrize("name", ADAPTED)
def test_an_adapted_layer_comes_back(name: str, tmp_path: Path) -> None:
    model, x = adapted_model(name)
    other = loaded(model, through_files(model, tmp_path))
    np.testing.assert_array_equal(other(as_input(x), training=False), model(as_input(x), training=False))


@pytest.mark.parametrize("name", OTHERS)
def test_a_layer_that_is_not_adapted_comes_back(name: str, tmp_path: Path) -> None:
    make, x = OTHERS[name]
    model = model_of(make(), x)
    other = loaded(model, through_files(model, tmp_path))
    np.testing.assert_array_equal(other(as_input(x), training=False), model(as_input(x), training=False))


def test_crossed_features_come_back(tmp_path: Path) -> None:
    one, other = (keras.Input((1,), dtype=kind) for kind in ("string", "int64"))
    crossed = layers.HashedCrossing(8, output_mode="one_hot")((one, other))
    model = keras.Model([one, other], layers.Dense(2)(crossed))
    x = [as_input(WORDS), as_input(WHOLE)]
    np.testing.assert_array_equal(loaded(model, through_files(model, tmp_path))(x), model(x))


def test_a_feature_space_comes_back(tmp_path: Path) -> None:
    import tensorflow as tf

    space = keras.utils.FeatureSpace(
        features={
            "colour": "string_categorical",
            "size": "float_normalized",
            "kind": "integer_categorical",
            "price": keras.utils.FeatureSpace.float_discretized(4),
        },
        crosses=[("colour", "kind")],
        crossing_dim=8,
    )
    table = {"colour": WORDS[:, 0], "size": NUMBERS[:, 0], "kind": WHOLE[:, 0], "price": NUMBERS[:, 1]}
    space.adapt(tf.data.Dataset.from_tensor_slices(table).batch(8))
    encoded, inputs = space.get_encoded_features(), space.get_inputs()
    model = keras.Model(inputs, layers.Dense(2)(encoded))
    x = {name: tf.constant(column[:, None]) for name, column in table.items()}
    np.testing.assert_array_equal(loaded(model, through_files(model, tmp_path))(x), model(x))


@pytest.mark.parametrize(
    "name", ["StringLookup", "StringLookup(tf_idf)", "StringLookup(no OOV)", "StringLookup(one_hot)"]
)
def test_a_token_with_a_line_break_survives_a_file_of_keras(name: str, tmp_path: Path) -> None:
    model, x = adapted_model(name)
    with vocabularies_in_config(model):
        model.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(read(as_input(x)), model(as_input(x)))
    assert all(layer.input_vocabulary is None for layer in model.layers if hasattr(layer, "input_vocabulary"))


@keras.saving.register_keras_serializable("adapted state")
class Centred(layers.Layer):
    """A layer of a user's own, with what it has learnt in an asset and in a variable that is none of Keras's."""

    def adapt(self, x: Any) -> None:
        self.mean, self.note = x.mean(axis=0), "adapted"

    def call(self, x: Any) -> Any:
        return x - self.mean

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def save_own_variables(self, store: Any) -> None:
        store["mean"] = self.mean

    def load_own_variables(self, store: Any) -> None:
        self.mean = np.array(store["mean"])

    def save_assets(self, folder: Any) -> None:
        Path(folder, "note.txt").write_text(self.note)

    def load_assets(self, folder: Any) -> None:
        self.note = Path(folder, "note.txt").read_text()


def own_model(layer: Any) -> keras.Model:
    model = keras.Sequential([layer, layers.Dense(2)])
    model.build((None, 4))
    return model


def test_a_layer_of_a_users_own_comes_back_by_the_methods_that_keras_saves_it_with(tmp_path: Path) -> None:
    layer = Centred()
    layer.adapt(NUMBERS)
    model = own_model(layer)
    other_layer = Centred()
    other_layer.adapt(np.zeros((2, 4), "float32"))
    other = own_model(other_layer)
    AdaptedState.of_snapshot(through_files(model, tmp_path)).load_into(other)
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(other(NUMBERS), model(NUMBERS))
    assert other_layer.note == "adapted"


def test_a_layer_that_cannot_be_saved_is_named() -> None:
    model = own_model(layer := Centred(name="never_adapted"))
    layer.mean = NUMBERS[0]
    adapted = AdaptedLayers(model)
    assert adapted.state().layers == {}
    (sentence,) = adapted.unsaved
    assert "never_adapted" in sentence


def test_what_does_not_fit_is_an_error() -> None:
    model, _ = adapted_model("StringLookup")
    state = AdaptedLayers(model).state()
    with pytest.raises(CheckpointError, match="no layer"):
        state.load_into(keras.Sequential([keras.Input((4,)), layers.Dense(2)]))
    with pytest.raises(CheckpointError, match="does not take"):
        state.load_into(model_of(layers.StringLookup(max_tokens=3, vocabulary=["a"]), WORDS))


def test_an_equal_vocabulary_is_left_alone_with_its_traces() -> None:
    model, _ = adapted_model("TextVectorization")
    lookup = next(layer for layer in model.layers if isinstance(layer, layers.TextVectorization))
    tables = [layer.lookup_table for layer in vars(lookup).values() if hasattr(layer, "lookup_table")]
    AdaptedLayers(model).state().load_into(model)
    assert [layer.lookup_table for layer in vars(lookup).values() if hasattr(layer, "lookup_table")] == tables


class Words(Tiny):
    """Words to classes, by a vocabulary that is adapted in ``build_model``, from as many of the words as is asked."""

    vocabulary_from: Iterator[int] | None = None

    def load_data(self) -> Data:
        labels = np.arange(32) % 3
        return Data(train=(WORDS, labels), validation=(WORDS[:8], labels[:8]))

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        lookup = layers.StringLookup(output_mode="one_hot", max_tokens=10, pad_to_max_tokens=True)
        lookup.adapt(WORDS if self.vocabulary_from is None else WORDS[: next(self.vocabulary_from)])
        model = keras.Sequential([keras.Input((1,), dtype="string"), lookup, layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model


SETTINGS = TrialSettings("val_loss", "min", max_epochs=3)


def test_a_continued_trial_has_the_vocabulary_that_it_was_trained_with() -> None:
    trainable = Words.standalone()
    data = trainable.load_data()
    whole = Training(trainable, {}, data, SETTINGS)
    whole.run_epoch()
    snapshot = whole.snapshot()
    whole.run_epoch()
    trainable.vocabulary_from = iter([2])  # as if the files had changed since
    continued = Training(trainable, {}, data, SETTINGS)
    continued.restore(snapshot)
    continued.run_epoch()
    assert continued.last is not None
    assert whole.last is not None
    assert continued.last.metrics == whole.last.metrics


def test_of_several_executions_the_vocabulary_is_that_of_the_weights() -> None:
    trainable = Words.standalone()
    trainable.vocabulary_from = iter([2, 32])
    settings = TrialSettings("loss", "min", max_epochs=3, executions=2)
    executions = Executions(trainable, {}, trainable.load_data(), settings)
    executions.run_epoch()
    snapshot = executions.snapshot()
    losses = [training.last.metrics["loss"] for training in executions.trainings if training.last]
    leader = executions.trainings[int(np.argmin(losses))]
    (parts,) = AdaptedState.of_snapshot(snapshot).layers.values()
    (expected,) = AdaptedLayers(leader.model).state().layers.values()
    np.testing.assert_array_equal(parts["tokens"], expected["tokens"])
    again = Executions(trainable_again(), {}, trainable.load_data(), settings)
    again.restore(snapshot)
    assert again.snapshot().state["best_execution"] == snapshot.state["best_execution"]


def trainable_again() -> Words:
    trainable = Words.standalone()
    trainable.vocabulary_from = iter([2, 32])
    return trainable


def test_models_without_such_layers_have_nothing_more_in_their_checkpoints() -> None:
    training = Training(Tiny.standalone(), {}, tiny_data(), SETTINGS)
    training.run_epoch()
    snapshot = training.snapshot()
    assert snapshot.state[PREFIX] == []
    assert not [name for name in snapshot.arrays if name.startswith(PREFIX)]
