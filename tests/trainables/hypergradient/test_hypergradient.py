"""Trials whose rates are adjusted: exactly resumed, kept apart, on every optimizer, and refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import pytest

from tests.support.outcomes import BeginTrial, assert_same, outcome_of, state_of
from tests.support.tiny_trainables import tiny_data
from tests.support.traced import Traces
from trainables import Data, FitOptions, Hypergradient, InvalidTrainable, KerasTrainable
from trainables.settings import TRIAL_KEY
from trainables.testing import TrainableContract

ALL = Hypergradient(weight_decay=True, l2=True, every=2, examples=16)
OPTIMIZERS = ["SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "Adafactor", "Adamax", "Ftrl", "Lamb", "Lion", "Muon"]
OPTIMIZERS += ["Nadam", "RMSprop", "ScheduleFreeAdamW"]
QUICK_OPTIMIZERS = ("SGD", "Adam", "Adafactor", "ScheduleFreeAdamW")
LONG = [pytest.mark.integration, pytest.mark.slow]


class Tuned(KerasTrainable):
    """A dense network with dropout, whose three rates are adjusted."""

    batch_size = 8
    hypergradient = ALL

    def load_data(self) -> Data:
        return tiny_data()

    def optimizer(self, config: dict[str, Any]) -> Any:
        return keras.optimizers.SGD(config.get("rate", 0.01), weight_decay=config.get("decay", 1e-3), momentum=0.5)

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        l2 = keras.regularizers.L2(config.get("l2", 1e-3))
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(8, "relu", kernel_regularizer=l2),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(3, "softmax", kernel_regularizer=keras.regularizers.L2(config.get("l2", 1e-3))),
            ]
        )
        model.compile(self.optimizer(config), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


class TestContract(TrainableContract):
    trainable = Tuned
    config: ClassVar[dict[str, Any]] = {"rate": 0.01}


def variant(**attributes: Any) -> type[Tuned]:
    return type("Variant", (Tuned,), attributes)


def with_optimizer(make: Callable[[], Any], declared: Hypergradient | None = None) -> type[Tuned]:
    return variant(optimizer=lambda self, config: make(), hypergradient=declared or Hypergradient(every=2))


def mistake_of(begin: BeginTrial, trainable: type[KerasTrainable], data: Data | None = None) -> str:
    report = begin(trainable, {}, data or tiny_data()).step()
    assert report["mistake"], report
    return str(report["mistake"])


def test_every_epoch_reports_the_rates(begin: BeginTrial) -> None:
    first, second = outcome_of(begin(Tuned, {}, tiny_data()), 2).metrics
    assert {"learning_rate", "weight_decay", "l2"} <= set(first)
    starts = {"learning_rate": 0.01, "weight_decay": 1e-3, "l2": 1e-3}
    for name, start in starts.items():
        assert first[name] != pytest.approx(start)
        assert second[name] != first[name]


def test_the_steps_read_the_adjusted_strength(begin: BeginTrial) -> None:
    """Only the L2 penalty moves the weights of a network that gets no other gradient."""
    declared = Hypergradient(learning_rate=False, l2=True, every=1)

    class Pulled(Tuned):
        hypergradient = declared

        def build_model(self, config: dict[str, Any]) -> keras.Model:
            layer = keras.layers.Dense(1, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.1))
            model = keras.Sequential([keras.Input((1,)), layer])
            model.compile(keras.optimizers.SGD(0.1), "mse")
            layer.set_weights([np.array([[2.0]], np.float32)])
            return model

    x, zeros = np.zeros((8, 1), np.float32), np.zeros((8, 1), np.float32)
    ones = np.ones((8, 1), np.float32)
    trial = begin(Pulled, {"batch_size": 4}, Data(train=(x, zeros), validation=(ones, zeros)), metric="val_loss")
    first, second = (trial.step()["metrics"] for _ in range(2))
    step = np.exp(declared.step)  # less weight is better, so the cosine is -1, and the strength grows by all of it
    weight, strength = 2.0, 0.1
    for _ in range(2):
        weight *= 1 - 0.1 * 2 * strength
        strength *= step
    assert first["l2"] == pytest.approx(strength, rel=1e-5)
    for _ in range(2):
        weight *= 1 - 0.1 * 2 * strength
        strength *= step
    assert second["l2"] == pytest.approx(strength, rel=1e-5)
    (last,) = trial.current_trial.training.model.get_weights()
    assert float(last.item()) == pytest.approx(weight, rel=1e-5)


def test_a_trial_of_a_kept_model_is_the_same_as_one_of_a_new_model(begin: BeginTrial, traces: Traces) -> None:
    configs = [
        {"rate": 0.01, TRIAL_KEY: 0},
        {"rate": 0.3, "decay": 1e-4, "l2": 1e-2, TRIAL_KEY: 1},
        {"rate": 0.001, "l2": 1e-5, TRIAL_KEY: 2},
    ]
    worker = begin(Tuned, configs[0], tiny_data())
    kept = [outcome_of(worker, 2)]
    for config in configs[1:]:
        worker.reset_config(config)
        kept.append(outcome_of(worker, 2))
    assert traces.train == 1
    described = worker.current_trial.training.model.to_json()
    assert "1e-05" in described
    for config, outcome in zip(configs, kept, strict=True):
        assert_same(outcome, outcome_of(begin(variant(reuse_models=False), config, tiny_data()), 2))


def test_a_model_whose_rates_stay_is_not_taken_for_one_whose_rates_are_adjusted(
    begin: BeginTrial, traces: Traces
) -> None:
    plain = variant(hypergradient=None)
    assert "learning_rate" not in outcome_of(begin(plain, {}, tiny_data()), 1).metrics[0]
    outcome_of(begin(Tuned, {}, tiny_data()), 1)
    assert traces.train == 2


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK_OPTIMIZERS else LONG) for name in OPTIMIZERS]
)
def test_every_optimizer_of_keras_is_cut_and_continued_with_the_same_rates(name: str, begin: BeginTrial) -> None:
    options = {"relative_step": False} if name == "Adafactor" else {}
    trainable = with_optimizer(lambda: getattr(keras.optimizers, name)(1e-3, **options))
    whole = outcome_of(begin(trainable, {}, tiny_data()), 4)
    assert whole.metrics[-1]["learning_rate"] != pytest.approx(1e-3)
    cut, continued = begin(trainable, {}, tiny_data()), begin(trainable, {}, tiny_data())
    outcome_of(cut, 2)
    continued.current_trial.restore(state_of(cut))
    rest = outcome_of(continued, 2)
    assert rest.metrics == whole.metrics[2:]
    np.testing.assert_equal(dict(rest.state.arrays), dict(whole.state.arrays))


@pytest.mark.parametrize("rate", [1e3, 1e30])
def test_steps_that_break_the_model_are_taken_back(rate: float, begin: BeginTrial) -> None:
    metrics = outcome_of(begin(variant(hypergradient=Hypergradient(every=1)), {"rate": rate}, tiny_data()), 3).metrics
    assert all(np.isfinite(list(epoch.values())).all() for epoch in metrics)
    assert metrics[-1]["learning_rate"] < rate


def test_an_epoch_whose_steps_are_all_taken_back_reports_the_validation_of_the_model(begin: BeginTrial) -> None:
    declared = Hypergradient(every=100, limits=(1e9, 1e10))
    metrics = outcome_of(begin(variant(hypergradient=declared), {"rate": 1e9}, tiny_data()), 1).metrics[0]
    assert metrics["loss"] == metrics["val_loss"] > 0
    assert metrics["accuracy"] == metrics["val_accuracy"]


def test_a_share_of_the_training_examples_may_be_measured_on(begin: BeginTrial) -> None:
    trainable = variant(hypergradient=Hypergradient(on=0.25, every=2))
    data = Data(train=tiny_data().train)
    trial = begin(trainable, {}, data)
    (metrics,) = outcome_of(trial, 1).metrics
    assert metrics["learning_rate"] != pytest.approx(0.01)
    assert np.array(trial.current_trial.training.model.optimizer.iterations) <= 5  # 36 of 48 examples, 8 a batch


def test_several_inputs_and_outputs_and_weights_are_measured_as_they_are_validated(begin: BeginTrial) -> None:
    class Two(Tuned):
        hypergradient = Hypergradient(learning_rate=False, weight_decay=True, every=2, examples=8)

        def build_model(self, config: dict[str, Any]) -> keras.Model:
            one, other = keras.Input((4,), name="one"), keras.Input((4,), name="other")
            both = keras.layers.Concatenate()([one, other])
            outputs = {"kind": keras.layers.Dense(3, "softmax", name="kind")(both), "size": keras.layers.Dense(1)(both)}
            model = keras.Model({"one": one, "other": other}, outputs)
            losses = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
            model.compile(keras.optimizers.Adam(0.01, weight_decay=1e-9), losses)
            return model

    (x, y), (vx, vy) = tiny_data().train, tiny_data().validation

    def form(x: Any, y: Any) -> tuple[Any, ...]:
        weights = np.ones(len(x), np.float32)
        return {"one": x, "other": x}, {"kind": y, "size": x[:, :1]}, {"kind": weights, "size": weights}

    data = Data(train=form(x, y), validation=form(vx, vy))
    adjusted = outcome_of(begin(Two, {}, data), 1).metrics[0]
    plain = outcome_of(begin(type("Plain", (Two,), {"hypergradient": None}), {}, data), 1).metrics[0]
    assert adjusted["weight_decay"] != pytest.approx(1e-9)
    assert {name: adjusted[name] for name in plain} == pytest.approx(plain, rel=1e-5)  # measuring leaves no trace


@pytest.mark.parametrize(
    ("trainable", "words"),
    [
        (with_optimizer(lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))), "LossScaleOptimizer"),
        (
            with_optimizer(lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.9))),
            "sched",
        ),
        (with_optimizer(lambda: keras.optimizers.SGD(lambda: 0.1)), "a schedule or a function"),
        (with_optimizer(lambda: keras.optimizers.Adafactor(0.1)), "relative_step=False"),
        (
            with_optimizer(lambda: keras.optimizers.SGD(0.1), Hypergradient(weight_decay=True)),
            "weight_decay of SGD is None",
        ),
        (
            with_optimizer(
                lambda: keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.1)))
            ),
            "MultiOptimizer",
        ),
        (variant(hypergradient=0.1), "hypergradient` is a float"),
        (
            variant(fit_options=lambda self, config: FitOptions([keras.callbacks.ReduceLROnPlateau()])),
            "ReduceLROnPlateau",
        ),
        (variant(fit_options=lambda self, config: FitOptions([keras.callbacks.TerminateOnNaN()])), "TerminateOnNaN"),
        (
            variant(
                hypergradient=Hypergradient(on=0.2),
                fit_options=lambda self, config: FitOptions(sample_weight=np.ones(48)),
            ),
            "third member of Data.train",
        ),
    ],
)
def test_what_cannot_be_adjusted_is_refused_by_name(
    trainable: type[KerasTrainable], words: str, begin: BeginTrial
) -> None:
    assert words in mistake_of(begin, trainable)


def test_a_train_step_of_the_users_own_is_refused(begin: BeginTrial) -> None:
    class Own(keras.Sequential):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    class WithOwn(Tuned):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            model = Own([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
            model.compile("sgd", "sparse_categorical_crossentropy")
            return model

    assert "Own has a train_step of its own" in mistake_of(begin, WithOwn)


def test_a_validation_split_that_is_missing_or_a_source_is_refused(begin: BeginTrial) -> None:
    import tensorflow as tf

    source = tf.data.Dataset.from_tensor_slices(tiny_data().validation).batch(8)
    assert "no validation split" in mistake_of(begin, Tuned, Data(train=tiny_data().train))
    assert "must be arrays" in mistake_of(begin, Tuned, Data(train=tiny_data().train, validation=source))


def test_a_training_split_that_is_a_source_works(begin: BeginTrial) -> None:
    import tensorflow as tf

    source = tf.data.Dataset.from_tensor_slices(tiny_data().train).batch(8)
    (metrics,) = outcome_of(begin(Tuned, {}, Data(train=source, validation=tiny_data().validation)), 1).metrics
    assert metrics["learning_rate"] != pytest.approx(0.01)


def test_a_model_that_a_callback_compiles_again_is_refused(begin: BeginTrial) -> None:
    class Again(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.compile("sgd", "sparse_categorical_crossentropy")

    trial = begin(variant(fit_options=lambda self, config: FitOptions([Again()])), {}, tiny_data())
    assert trial.step()["error"] is None
    assert "compiled the model again" in str(trial.step()["mistake"])


def test_a_population_keeps_its_own_rates(tmp_path: Path, begin: BeginTrial) -> None:
    from trainables.training.takeover import take_over

    donor = begin(Tuned, {"rate": 0.2, "l2": 0.1, TRIAL_KEY: 0}, tiny_data(), folder=str(tmp_path), max_epochs=1)
    donor.step()
    donor.wait_until_saved()
    training = begin(Tuned, {"rate": 0.02, "l2": 0.01, TRIAL_KEY: 1}, tiny_data()).current_trial.training
    take_over(training, str(tmp_path), 0, 1)
    assert float(np.array(training.model.optimizer.learning_rate)) == pytest.approx(0.02)
    assert [float(np.array(each)) for each in training.adjusted_variables] == pytest.approx([1e-3, 0.01, 0.01])


def test_the_words_name_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    from trainables.hypergradient.adjustable import check_declared

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InvalidTrainable, match="Keras runs on jax here"):
        check_declared(Tuned, ALL)
