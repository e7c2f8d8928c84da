"""Models that are hard to continue: compiled again by a callback, with further optimizers, with lasting metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.tiny_trainables import Tiny, tiny_data
from trainables import FitOptions, TrialSettings
from trainables.random_streams import trial_seed
from trainables.reuse.worker_cache import WorkerCache
from trainables.storage import checkpoint
from trainables.training.training import Training

EPOCHS = 5


class Unfreeze(keras.callbacks.Callback):
    """At the end (or the beginning) of the second epoch, lets all layers train, with another optimizer."""

    def __init__(
        self, optimizer: Any, loss: Any = "sparse_categorical_crossentropy", *, at_begin: bool = False
    ) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.loss = loss
        self.at_begin = at_begin

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.at_begin and epoch == 2:
            self.compile_again()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.at_begin and epoch == 1:
            self.compile_again()

    def compile_again(self) -> None:
        self.model.layers[0].trainable = True
        self.model.compile(self.optimizer, self.loss, metrics=["accuracy"])


class TwoPhases(Tiny):
    """Its first layer is frozen for two epochs."""

    reuse_models = True

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(8, "relu", trainable=False),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(3, "softmax"),
            ]
        )
        model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=config["callbacks"]())


def begin(trainable: type[Tiny], config: dict[str, Any], cache: WorkerCache | None = None) -> Training:
    settings = TrialSettings("val_loss", "min", max_epochs=EPOCHS)
    return Training(trainable.standalone(), config, tiny_data(), settings, cache=cache)


def train(training: Training, epochs: int) -> list[dict[str, float]]:
    return [dict(training.run_epoch().metrics) for _ in range(epochs)]


def arrays_of(training: Training) -> dict[str, np.ndarray]:
    return dict(training.snapshot().arrays)


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def continued(trainable: type[Tiny], config: dict[str, Any], cut: int, folder: Path) -> Training:
    """Return a training that another process would have continued after some epochs."""
    first = begin(trainable, config)
    train(first, cut)
    folder.mkdir()
    checkpoint.write(folder, first.snapshot())
    second = begin(trainable, config)
    second.restore(checkpoint.read(folder))
    return second


def two_phases(**changes: Any) -> dict[str, Any]:
    return {"callbacks": lambda: [Unfreeze(keras.optimizers.RMSprop(0.01), **changes)]}


@pytest.mark.parametrize("at_begin", [False, True])
def test_a_model_that_is_compiled_again_trains_as_in_two_fits_of_plain_keras(*, at_begin: bool) -> None:
    training = begin(TwoPhases, two_phases(at_begin=at_begin))
    metrics = train(training, EPOCHS)

    model, (x, y) = begin(TwoPhases, {"callbacks": list}).model, tiny_data().train
    frozen = np.array(model.layers[0].kernel)
    expected: list[float] = []

    def fit(epochs: range) -> None:
        for epoch in epochs:
            order = np.random.default_rng([trial_seed(0, 0), epoch]).permutation(len(x))
            fitted = model.fit(x[order], y[order], batch_size=16, epochs=1, shuffle=False, verbose=0)
            expected.append(fitted.history["loss"][0])

    fit(range(2))
    np.testing.assert_array_equal(frozen, np.array(model.layers[0].kernel))
    model.layers[0].trainable = True
    model.compile(keras.optimizers.RMSprop(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    fit(range(2, EPOCHS))
    np.testing.assert_allclose([each["loss"] for each in metrics], expected, rtol=1e-6)
    for ours, theirs in zip(training.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_trial_of_two_phases_is_cut_and_resumed_to_the_last_bit(tmp_path: Path, cut: int) -> None:
    whole = begin(TwoPhases, two_phases())
    metrics = train(whole, EPOCHS)
    second = continued(TwoPhases, two_phases(), cut, tmp_path / "cut")
    assert train(second, EPOCHS - cut) == metrics[cut:]
    assert_same(arrays_of(whole), arrays_of(second))
    assert whole.unsaved == []


def test_a_model_that_was_compiled_again_is_not_kept_for_other_trials() -> None:
    cache = WorkerCache(tiny_data(), keeps_models=True)
    for _ in range(2):
        training = begin(TwoPhases, two_phases(), cache)
        train(training, EPOCHS)
        training.end()
        training.retire()
    assert len(cache.models) == 0


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y_true, y_pred))


def test_parts_of_a_user_s_own_make_it_start_again_and_say_so(tmp_path: Path) -> None:
    config = two_phases(loss=own_loss)
    training = begin(TwoPhases, config)
    train(training, 1)
    assert training.unsaved == []
    train(training, 2)
    (reason,) = training.unsaved
    assert "compiled the model again" in reason
    with pytest.raises(checkpoint.CheckpointError, match="compiled the model again"):
        continued(TwoPhases, config, 3, tmp_path / "cut")


def test_a_trial_whose_checkpoint_cannot_be_used_begins_as_a_fresh_one(tmp_path: Path) -> None:
    settings = TrialSettings("val_loss", "min", max_epochs=3, folder=str(tmp_path), milestones=(1, 2, 3))
    config = two_phases(loss=own_loss)

    def epochs(worker: Any, count: int) -> list[Any]:
        reports = [worker.step() for _ in range(count)]
        worker.wait_until_saved()
        worker.cleanup()
        return reports

    whole = epochs(TwoPhases.standalone(config, tiny_data(), settings), 3)
    notes = [text for report in whole for _, text in report.get("notes", ())]
    assert [text[:24] for text in notes] == ["not exactly resumable: a"]
    again = epochs(TwoPhases.standalone(config, tiny_data(), settings), 3)
    assert [report["metrics"] for report in again] == [report["metrics"] for report in whole]
    assert "It starts again." in again[0]["notes"][0][1]


class CompileAtBegin(Unfreeze):
    def on_train_begin(self, logs: Any = None) -> None:
        self.compile_again()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        pass


def test_a_model_that_is_compiled_again_when_its_trial_begins_needs_nothing_of_a_checkpoint(tmp_path: Path) -> None:
    config = {"callbacks": lambda: [CompileAtBegin(keras.optimizers.RMSprop(0.01), own_loss)]}
    whole = begin(TwoPhases, config)
    metrics = train(whole, EPOCHS)
    assert whole.unsaved == []
    assert train(continued(TwoPhases, config, 2, tmp_path / "cut"), EPOCHS - 2) == metrics[2:]


class FreezeAgain(keras.callbacks.Callback):
    """Freezes the last layer at the end of the second epoch; the optimizer stays, with all that it has learned."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            self.model.layers[-1].trainable = True
            self.model.layers[0].trainable = True
            self.model.compile(keras.optimizers.Adam(0.01, use_ema=True), "sparse_categorical_crossentropy")
        if epoch == 2:
            self.model.layers[-1].trainable = False
            self.model.compile(self.model.optimizer, "sparse_categorical_crossentropy", run_eagerly=True)


@pytest.mark.parametrize("cut", [2, 3, 4])
def test_a_model_compiled_twice_the_second_time_with_the_same_optimizer(tmp_path: Path, cut: int) -> None:
    config = {"callbacks": lambda: [FreezeAgain()]}
    whole = begin(TwoPhases, config)
    metrics = train(whole, 3)
    last_layer = np.array(whole.model.layers[-1].kernel)
    metrics += train(whole, EPOCHS - 3)
    np.testing.assert_array_equal(last_layer, np.array(whole.model.layers[-1].kernel))
    second = continued(TwoPhases, config, cut, tmp_path / "cut")
    assert train(second, EPOCHS - cut) == metrics[cut:]
    assert_same(arrays_of(whole), arrays_of(second))


# Further state under the model.


@keras.saving.register_keras_serializable("exact")
class Lasting(keras.metrics.Metric):
    """Counts the batches of all epochs."""

    def __init__(self, name: str = "lasting") -> None:
        super().__init__(name=name)
        self.batches = self.add_weight(name="batches", initializer="zeros")

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        self.batches.assign_add(1.0)

    def result(self) -> Any:
        return self.batches + 0.0

    def reset_state(self) -> None:
        """Keep the count."""


class Adversary(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Has a train_step with a second optimizer, a generator, and a layer that is made in its first call."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(3, "softmax")
        self.noise = keras.layers.Dense(4)
        self.further = {"noise": keras.optimizers.Adam(0.01)}
        self.generator = keras.random.SeedGenerator(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> Any:
        import tensorflow as tf

        x, y = data
        with tf.GradientTape(persistent=True) as tape:
            noisy = x + self.noise(keras.random.normal(keras.ops.shape(x), seed=self.generator))
            prediction = self.dense(noisy)
            loss = self.compute_loss(x, y, prediction)
        weights = self.dense.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        weights = self.noise.trainable_weights
        self.further["noise"].apply(tape.gradient(loss, weights), weights)
        return self.compute_metrics(x, y, prediction)


class Adversarial(Tiny):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = Adversary()
        model(np.zeros((1, 4), "float32"))
        model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy", Lasting()])
        return model


@pytest.mark.parametrize("cut", [1, 3])
def test_further_optimizers_late_weights_and_lasting_metrics_are_continued(tmp_path: Path, cut: int) -> None:
    whole = begin(Adversarial, {})
    metrics = train(whole, EPOCHS)
    assert metrics[-1]["lasting"] > metrics[0]["lasting"]
    second = continued(Adversarial, {}, cut, tmp_path / "cut")
    assert train(second, EPOCHS - cut) == metrics[cut:]
    assert_same(arrays_of(whole), arrays_of(second))


class Drawing(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.generator = np.random.default_rng(1)


def test_a_generator_of_numpy_is_told_as_not_resumable() -> None:
    training = begin(TwoPhases, {"callbacks": lambda: [Drawing()]})
    assert training.unsaved == ["the generator `Drawing.generator` begins anew"]
