"""Tests of the compiled steps on JAX. ``test_jax`` runs them in a process of that backend; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax
import keras
import numpy as np
import pytest

from tests.support.outcomes import assert_same, train_trial
from tests.support.tiny_trainables import Tiny, blobs, tiny_data
from trainables import Data, FitOptions
from trainables.input.compiled_jax import OPTIMISED, Effort, choose_efforts, has_slow_loop, how_compiled
from trainables.input.gathered_steps import can_gather, can_hold
from trainables.internals import jax_pooling, jax_variables, keras_model
from trainables.reuse import input_cache, worker_cache
from trainables.settings import TRIAL_KEY, TrialSettings
from trainables.training import model as model_module

COMPILED = "/jax/core/compile/backend_compile_duration"


class Compiled(Tiny):
    """Dropout, batch normalisation and averaged weights; the last batch of 48 examples is smaller."""

    batch_size = 20

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Return the compiled model."""
        layers = [
            keras.layers.Dense(config.get("units", 4)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
        ]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(3, activation="softmax")])
        optimizer = keras.optimizers.Adam(config.get("rate", 0.05), use_ema=True)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **config.get("compile", {}))
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return what the configuration says of fitting."""
        return FitOptions(**config.get("options", {}))


class TwoHeads(Compiled):
    """Several inputs and outputs, a metric that is no single number, and a loss that a layer adds."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Return the compiled model."""
        a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
        joined = keras.layers.Dense(3, kernel_regularizer="l2")(keras.layers.concatenate([a, b]))
        one = keras.layers.Dense(3, activation="softmax", name="one")(joined)
        two = keras.layers.Dense(1, name="two")(joined)
        model = keras.Model({"a": a, "b": b}, {"one": one, "two": two})
        losses = {"one": "categorical_crossentropy", "two": "mse"}
        model.compile("adam", losses, metrics={"one": keras.metrics.F1Score(), "two": "mae"})
        return model


class Recompiles(keras.callbacks.Callback):
    """Compiles the model again before its second epoch, to run eagerly."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Compile the model again."""
        if epoch == 1:
            loss = "sparse_categorical_crossentropy"
            self.model.compile(self.model.optimizer, loss, metrics=["accuracy"], run_eagerly=True)


class Evaluates(keras.callbacks.Callback):
    """Evaluates on data of its own after each epoch."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Evaluate, and keep the result."""
        x, y = blobs(10, seed=7)
        self.model.evaluate(x, y, verbose=0)


def two_heads_data() -> Data:
    def split(examples: int, seed: int) -> tuple[Any, Any]:
        x, y = blobs(examples, seed=seed)
        return {"a": x, "b": -x}, {"one": np.eye(3, dtype=np.float32)[y], "two": y.astype(np.float32)}

    return Data(train=split(48, 0), validation=split(24, 1))


def begin(trainable: type[Tiny], config: dict[str, Any], data: Data, **settings: Any) -> Any:
    chosen = {"max_epochs": 3, "seed": 5, **settings}
    return trainable.standalone(config, data=data, settings=TrialSettings(**chosen))


def hand_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, let models read batches from an iterator, as Keras has it."""
    for module in (worker_cache, input_cache):
        monkeypatch.setattr(module, "can_gather", lambda _: False)


def compile_as_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile with all optimisations, as Keras does."""
    monkeypatch.setattr(model_module, "choose_efforts", lambda *_: OPTIMISED)


@contextmanager
def counted_programs() -> Iterator[list[str]]:
    """Count the programs that JAX compiles, by the names of their functions."""
    programs: list[str] = []

    def listen(event: str, seconds: float, **more: Any) -> None:
        if event == COMPILED and seconds >= 0:
            programs.append(str(more.get("fun_name")))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield programs
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize(
    ("trainable", "config", "data"),
    [
        (Compiled, {}, tiny_data()),
        (Compiled, {"options": {"steps_per_execution": 2, "validation_batch_size": 10}}, tiny_data()),
        (Compiled, {"options": {"class_weight": {0: 2.0}, "sample_weight": np.linspace(0, 1, 48)}}, tiny_data()),
        (Compiled, {"options": {"steps_per_epoch": 4, "validation_steps": 1}}, tiny_data()),
        (Compiled, {"options": {"callbacks": [Evaluates()]}}, tiny_data()),
        (Compiled, {}, Data(train=blobs(48))),
        (TwoHeads, {}, two_heads_data()),
    ],
)
def test_a_model_that_gathers_trains_as_one_that_is_handed_its_batches(
    trainable: type[Tiny], config: dict[str, Any], data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_as_keras(monkeypatch)
    gathered = train_trial(begin, trainable, config, data)
    hand_over(monkeypatch)
    assert_same(gathered, train_trial(begin, trainable, config, data))


def test_a_model_that_a_callback_compiles_again_reads_its_spans_in_python() -> None:
    again = train_trial(begin, Compiled, {"options": {"callbacks": [Recompiles()]}}, tiny_data())
    assert [set(metrics) for metrics in again.metrics] == [{"accuracy", "loss", "val_accuracy", "val_loss"}] * 3


def second_trial() -> tuple[Any, list[str]]:
    """Train two trials of one architecture, an epoch each; return the second one's report and compiled programs."""
    keras.backend.clear_session()  # a worker begins with no names, too
    worker = begin(Compiled, {"rate": 0.05}, tiny_data())
    with counted_programs() as programs:
        worker.step()
    assert programs
    worker.reset_config({TRIAL_KEY: 1, "rate": 0.01})
    with counted_programs() as programs:
        report = worker.step()
    assert report["error"] is None
    return report, programs


def test_keras_keeps_its_books_on_jax_under_these_names_and_without_them_each_model_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = Compiled.standalone().build_model({})
    x, y = blobs(8)
    model.fit(x, y, verbose=0)
    kinds = {name: {type(vars(model)[name]).__name__} for name in keras_model.BOOKKEEPING_OF_JAX}
    assert kinds == keras_model.BOOKKEEPING_OF_JAX
    report, _ = second_trial()
    monkeypatch.setattr(keras_model, "BOOKKEEPING_OF_JAX", {})
    without, programs = second_trial()
    assert programs
    assert without["metrics"] == report["metrics"]


def test_a_trial_whose_model_is_known_compiles_nothing() -> None:
    report, programs = second_trial()
    assert programs == []
    fresh = begin(Compiled, {TRIAL_KEY: 1, "rate": 0.01}, tiny_data())
    assert fresh.step()["metrics"] == report["metrics"]


def test_a_model_of_other_shapes_takes_three_programs() -> None:
    """The whole batches of an epoch, its last one, and the validation."""
    worker = begin(Compiled, {"units": 4}, tiny_data())
    worker.step()
    with counted_programs() as programs:
        worker.reset_config({TRIAL_KEY: 1, "units": 5})
        report = worker.step()
    assert report["error"] is None
    assert sorted(programs) == ["jit(_run_batch)", "jit(_run_batch)", "jit(_run_span)"]


def test_short_trials_are_compiled_quickly_and_train_alike_to_rounding() -> None:
    quick, whole = (begin(Compiled, {}, tiny_data(), max_epochs=epochs) for epochs in (3, 1_000_000))
    with counted_programs() as programs:
        reports = [[worker.step()["metrics"] for _ in range(3)] for worker in (quick, whole)]
    assert len(programs) >= 6
    assert quick.current_trial.training.notes == [how_compiled(Effort.NONE)]
    assert whole.current_trial.training.notes == [how_compiled(Effort.ALL)]
    for short, long in zip(*reports, strict=True):
        assert short == pytest.approx(long, rel=1e-3)


def test_a_large_model_is_compiled_with_all_optimisations_and_one_of_unknown_layers_too() -> None:
    model = Compiled.standalone().build_model({})
    assert choose_efforts(model, 48, 3, 3.0) == (Effort.NONE, Effort.NONE)
    assert choose_efforts(model, 3_000_000, 187_500, 3.0) == (Effort.SOME, Effort.NONE)
    assert choose_efforts(model, 48_000_000, 3_000_000, 3.0) == (Effort.ALL, Effort.NONE)
    assert choose_efforts(model, 48, 3, 1e9) == (Effort.ALL, Effort.ALL)

    class Own(keras.Model):
        """A model whose layers have no known outputs."""

        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    own = Own()
    own(np.zeros((1, 4), np.float32))
    assert choose_efforts(own, 48, 3, 1.0) == OPTIMISED


INITIALISERS = [
    keras.initializers.GlorotUniform(seed=3),
    keras.initializers.RandomUniform(-0.3, 0.7, seed=4),
    keras.initializers.HeNormal(seed=5),
    keras.initializers.RandomNormal(mean=0.1, stddev=0.3, seed=6),
    keras.initializers.Zeros(),
    keras.initializers.Ones(),
]
SHAPES = [(5,), (64, 112), (7, 5, 3, 2), (150, 200)]


def test_shapes_share_the_programs_that_draw_first_values_and_the_numbers_are_kerass() -> None:
    """The pinned names."""
    plain = [[np.array(draw(shape)) for shape in SHAPES] for draw in INITIALISERS]
    with jax_variables.shared_programs():
        shared = [[np.array(draw(shape)) for shape in SHAPES] for draw in INITIALISERS]
        with counted_programs() as programs:
            for draw in INITIALISERS:
                draw((11, 13))
    assert programs == []
    for expected, drawn in zip(plain, shared, strict=True):
        for one, other in zip(expected, drawn, strict=True):
            np.testing.assert_array_equal(one, other)


def test_without_the_names_each_shape_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax_variables, "_replace", lambda: False)
    with jax_variables.shared_programs(), counted_programs() as programs:
        drawn = INITIALISERS[0]((11, 17))
    assert programs
    monkeypatch.undo()
    with jax_variables.shared_programs():
        np.testing.assert_array_equal(drawn, INITIALISERS[0]((11, 17)))


def gradients_of_pooling(shape: tuple[int, ...], window: tuple[int, ...], padding: str, name: str) -> list[np.ndarray]:
    """Return gradients of a pooling of values with ties."""
    rng = np.random.default_rng(1)
    values = jax.numpy.asarray(rng.integers(-3, 4, shape), name)
    first = np.asarray(-np.inf, name)

    def pool(values: Any) -> Any:
        return jax.lax.reduce_window(values, first, jax.lax.max, window, window, padding)

    numbers = jax.numpy.asarray(rng.normal(size=pool(values).shape), name)
    (gradient,) = jax.jit(lambda values, numbers: jax.vjp(pool, values)[1](numbers))(values, numbers)
    every = jax.vmap(lambda values, numbers: jax.vjp(pool, values)[1](numbers)[0])(values[None], numbers[None])
    return [np.asarray(gradient), np.asarray(every)]


POOLINGS = [
    ((6, 8, 8, 3), (1, 2, 2, 1), "VALID", "float32"),
    ((6, 7, 9, 3), (1, 2, 2, 1), "VALID", "float32"),
    ((6, 7, 9, 3), (1, 2, 2, 1), "SAME", "float32"),
    ((6, 3, 7, 9), (1, 1, 3, 2), "SAME", "bfloat16"),
    ((6, 11, 3), (1, 4, 1), "VALID", "float16"),
    ((6, 10, 10, 3), (1, 5, 5, 1), "VALID", "float32"),
]


@pytest.mark.parametrize(("shape", "window", "padding", "name"), POOLINGS)
def test_the_gradient_of_max_pooling_is_that_of_jax_to_the_bit(
    shape: tuple[int, ...], window: tuple[int, ...], padding: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pinned name."""
    with monkeypatch.context() as patch:
        patch.setattr(jax_pooling, "_is_compared", lambda **_: False)
        jax.clear_caches()
        expected = gradients_of_pooling(shape, window, padding, name)
    assert jax_pooling.speed_up_pooling()
    jax.clear_caches()
    for gradient, own in zip(gradients_of_pooling(shape, window, padding, name), expected, strict=True):
        np.testing.assert_array_equal(gradient, own)


def test_without_the_name_jaxs_own_rule_of_pooling_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("jax._src.interpreters.mlir._platform_specific_lowerings")
    assert not jax_pooling.speed_up_pooling.__wrapped__()


class Convolutional(Compiled):
    """A convolution, pooled, of examples of 4 numbers as images of 2 x 2."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Return the compiled model."""
        layers = [
            keras.layers.Reshape((2, 2, 1)),
            keras.layers.Conv2D(3, 2, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
        ]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


def test_a_convolution_trains_by_a_program_for_each_batch_as_with_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_as_keras(monkeypatch)
    with counted_programs() as programs:
        gathered = train_trial(begin, Convolutional, {}, tiny_data())
    assert "jit(_run_whole_batch)" in programs
    hand_over(monkeypatch)
    assert_same(gathered, train_trial(begin, Convolutional, {}, tiny_data()))


@pytest.mark.parametrize(("layout", "is_slow"), [("NHWC", False), ("NCHW", True)])
def test_convolutions_are_slow_in_loops_in_layouts_that_the_compiler_changes(layout: str, is_slow: bool) -> None:
    kernel = {"NHWC": "HWIO", "NCHW": "OIHW"}[layout]

    def convolve(values: Any, weights: Any) -> Any:
        numbers = (layout, kernel, layout)
        return jax.lax.conv_general_dilated(values, weights, (1, 1), "VALID", dimension_numbers=numbers)

    values, weights = jax.numpy.ones((5, 6, 6, 6)), jax.numpy.ones((3, 3, 6, 6) if layout == "NHWC" else (6, 6, 3, 3))

    def loop(values: Any, weights: Any) -> Any:
        return jax.lax.fori_loop(0, 2, lambda _, total: total + convolve(values, weights).sum(), 0.0)

    assert has_slow_loop(jax.make_jaxpr(loop)(values, weights).jaxpr) == is_slow
    gradient = jax.grad(lambda weights: convolve(values, weights).sum())
    assert has_slow_loop(jax.make_jaxpr(gradient)(weights).jaxpr)


def test_strings_are_left_to_kerass_loop() -> None:
    assert can_hold(tiny_data().train)
    assert not can_hold((np.array(["a", "b"]), np.array([0, 1])))


def test_a_model_that_runs_eagerly_is_left_to_kerass_loop() -> None:
    model = Compiled.standalone().build_model({"compile": {"run_eagerly": True}})
    assert not can_gather(model)
