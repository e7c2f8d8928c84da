"""A worker that trains a compiled model again trains it as it would have trained a fresh one."""

import gc
import weakref
from typing import ClassVar

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.outcomes import Outcome, assert_same, outcome_of
from tests.support.tiny_trainables import Everything, tiny_data
from tests.support.traced import Traced, without_reuse
from trainables import FitOptions, TrialSettings
from trainables.internals.global_state import forget_names, set_seed
from trainables.reuse.fingerprint import OpaqueModelError, fingerprint
from trainables.reuse.kept_models import KeptModels, held, traceable
from trainables.settings import TRIAL_KEY
from trainables.training.model import build

OPTIMIZERS = ["SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "Adafactor", "Adamax", "Ftrl", "Lamb", "Lion", "Muon"]
OPTIMIZERS += ["Nadam", "RMSprop"]


def run_trials(begin, trainable, configs, epochs=2, **given) -> list[Outcome]:
    """Train some trials in one worker, one after another."""
    settings = {"metric": "val_loss", "mode": "min", **given}
    worker = begin(trainable, {**configs[0], TRIAL_KEY: 0}, tiny_data(), **settings)
    outcomes = [outcome_of(worker, epochs)]
    for trial, config in enumerate(configs[1:], 1):
        worker.reset_config({**config, TRIAL_KEY: trial})
        outcomes.append(outcome_of(worker, epochs))
    return outcomes


def assert_equal(found, expected) -> None:
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)


# Counted, so that an overhead that comes back is noticed on any machine.


def test_one_architecture_is_traced_once_however_many_trials_have_it(begin, traces):
    run_trials(begin, Traced, [{"rate": rate} for rate in (0.1, 0.01, 0.3, 0.02)])
    assert (traces.train, traces.test) == (1, 1)


def test_a_new_architecture_is_traced_once(begin, traces):
    run_trials(begin, Traced, [{"units": 2}, {"units": 3}], epochs=1)
    assert (traces.train, traces.test) == (2, 2)


def test_executions_share_models_with_later_trials_but_not_with_each_other(begin, traces):
    run_trials(begin, Traced, [{}, {}], executions=2)
    assert (traces.train, traces.test) == (2, 2)


def test_what_is_switched_off_is_off(begin, traces):
    run_trials(begin, without_reuse(Traced), [{}, {}], epochs=1)
    assert (traces.train, traces.test) == (2, 2)


# The results do not change.


class All(Everything):
    """Dropout, batch normalisation, averaged weights, class weights, augmentation, callbacks with memory."""


@pytest.mark.parametrize(
    ("trainable", "configs", "trained_anew"),
    [
        (All, [{"patience": 9}, {"patience": 9}, {"patience": 1}], 1),
        (Traced, [{"rate": 0.3}, {"rate": 0.01}, {"rate": 0.3, "dropout": 0.1}, {"rate": 0.1}], 2),
        (Traced, [{"optimizer": "Adam", "rate": rate, "options": {"use_ema": True}} for rate in (0.1, 0.01)], 1),
    ],
)
def test_results_are_bitwise_those_of_models_traced_anew(begin, traces, trainable, configs, trained_anew):
    reused = run_trials(begin, trainable, configs)
    assert traces.train == trained_anew
    assert_equal(reused, run_trials(begin, without_reuse(trainable), configs))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_kept_model_begins_with_every_variable_of_the_fresh_one(optimizer):
    used, fresh = made({"optimizer": optimizer, "rate": 0.3}, 1), made({"optimizer": optimizer, "rate": 0.01}, 2)
    before = [np.array(variable) for variable in fresh.fingerprint.variables]
    for variable in used.fingerprint.variables:
        variable.assign(np.ones(variable.shape) * 7)
    used.begin_as(fresh)
    assert len(before) > len(fresh.model.variables) + 1  # the optimizer's, the metrics'
    for variable, value in zip(used.fingerprint.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), value, variable.path)


CONFIGS = st.fixed_dictionaries(
    {
        "units": st.integers(1, 2),
        "activation": st.sampled_from(["relu", "tanh"]),
        "dropout": st.sampled_from([0.1, 0.5]),
        "optimizer": st.sampled_from(["SGD", "Adam"]),
        "options": st.sampled_from([{}, {"clipnorm": 1.0}, {"clipnorm": 2.0}, {"weight_decay": 0.1}]),
        "rate": st.floats(0.001, 1),
    }
)


@settings(max_examples=25, deadline=None)
@given(CONFIGS, CONFIGS, st.booleans())
def test_models_trace_alike_if_they_differ_in_seed_and_rate_only(config, other, alike):
    other = {**config, "rate": other["rate"]} if alike else other
    same = all(config[name] == other[name] for name in config if name != "rate")
    assert made(config, 1).traces_like(made(other, 2)) == same


def test_a_schedule_is_part_of_the_trace():
    def scheduled(rate):
        forget_names()
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(rate, 2, 0.5)), "mse")
        return fingerprint(model).features

    assert scheduled(0.1) == scheduled(0.1) != scheduled(0.2)


def made(config, seed):
    forget_names()
    set_seed(seed)
    model = Traced.standalone().build_model(config)
    build(model, tiny_data().train)
    return traceable(model, "", ())


# What is never reused.


def scaled(x):
    return x * 2


class Own(keras.layers.Layer):
    def call(self, inputs):
        return inputs


def foreign_models():
    def model(*layers, loss="mse", **options):
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
        model.compile(options.pop("optimizer", "sgd"), loss, **options)
        return model

    def renamed(x):
        return x

    renamed.__name__ = "relu"  # Keras would describe it as its own
    patched = model()
    patched.layers[0].call = lambda inputs: inputs
    yield "activation", model(keras.layers.Dense(2, scaled))
    yield "activation with another's name", model(keras.layers.Dense(2, renamed))
    yield "lambda", model(keras.layers.Lambda(lambda x: x))
    yield "layer", model(Own())
    yield "loss", model(loss=lambda y, p: keras.ops.mean(y - p))
    yield "metric", model(metrics=[lambda y, p: keras.ops.mean(y - p)])
    yield "rate", model(optimizer=keras.optimizers.SGD(lambda: 0.1))
    yield "patched", patched


@pytest.mark.parametrize("place", range(8))
def test_code_that_is_not_kerass_own_is_never_reused(place):
    name, model = list(foreign_models())[place]
    with pytest.raises(OpaqueModelError):
        fingerprint(model)
    assert traceable(model, "", ()).fingerprint is None, name


@pytest.mark.parametrize("method", ["make_train_function", "make_test_function"])
def test_a_model_with_a_loop_of_the_users_own_is_never_reused(method):
    model = made({}, 1).model
    assert traceable(model, "", ()).fingerprint is None  # a second time: its steps are not Keras's own any more
    model = Traced.standalone().build_model({})
    setattr(model, method, lambda force=False: None)
    assert traceable(model, "", ()).fingerprint is None


def test_an_adapted_layer_is_told_from_one_that_learnt_something_else():
    def normalised(mean):
        forget_names()
        layer = keras.layers.Normalization()
        layer.adapt(np.array([[mean], [mean + 2]], np.float32))
        model = keras.Sequential([keras.Input((1,)), layer, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return fingerprint(model).features

    assert normalised(1) == normalised(1) != normalised(3)


class Freezing(keras.callbacks.Callback):
    """Changes what is traced, and changes it back at the end."""

    def __init__(self, hook) -> None:
        super().__init__()
        setattr(self, hook, self.freeze)

    def freeze(self, *_, **__) -> None:
        self.model.layers[0].trainable = False

    def on_train_end(self, logs=None) -> None:
        self.model.layers[0].trainable = True


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_train_batch_begin"])
def test_what_a_callback_changes_before_the_first_step_is_traced(begin, hook):
    configs = [{}, {"callbacks": [Freezing(hook)]}, {}]
    reused = run_trials(begin, Traced, configs, epochs=1)
    fresh_configs = [{}, {"callbacks": [Freezing(hook)]}, {}]
    assert_equal(reused, run_trials(begin, without_reuse(Traced), fresh_configs, epochs=1))


class Leading(keras.callbacks.Callback):
    """Reaches the optimizer by another way than through its own model."""

    known: ClassVar[dict] = {}

    def on_epoch_end(self, epoch, logs=None) -> None:
        self.known["optimizer"].learning_rate.assign(0.0)


class Remembering(Traced):
    def build_model(self, config):
        model = super().build_model(config)
        Leading.known["optimizer"] = model.optimizer
        return model


def test_models_are_not_exchanged_where_others_hold_them(begin):
    def configs():
        return [{"callbacks": [Leading()]} for _ in range(2)]

    assert_equal(run_trials(begin, Remembering, configs()), run_trials(begin, without_reuse(Remembering), configs()))


# Memory.


def test_the_models_that_are_kept_are_few():
    kept = KeptModels(2)
    models = []
    for units in range(1, 6):
        used = made({"units": units}, 1)
        used.model.train_function = len
        kept.give_back(used)
        models.append(weakref.ref(used.model))
        del used
    gc.collect()
    assert len(kept) == 2
    assert [model() is not None for model in models] == [False, False, False, True, True]


def test_a_model_larger_than_what_may_be_kept_is_not(monkeypatch):
    kept, used = KeptModels(), made({}, 1)
    used.model.train_function = len
    assert used.fingerprint.nbytes > 4 * used.model.count_params()
    monkeypatch.setattr("trainables.reuse.kept_models._MOST_BYTES", used.fingerprint.nbytes - 1)
    kept.give_back(used)
    assert len(kept) == 0


def test_a_fresh_model_that_nobody_holds_is_let_go():
    fresh = made({}, 1)
    is_held = held(fresh)
    assert is_held()
    del fresh
    assert not is_held()


def test_a_worker_keeps_nothing_of_a_trial_that_failed(begin):
    class Failing(Traced):
        def fit_options(self, config):
            return FitOptions(callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: 1 / 0)])

    worker = begin(Failing, {}, tiny_data(), **vars(TrialSettings()))
    assert "ZeroDivisionError" in worker.step()["error"]
    worker.reset_config({TRIAL_KEY: 1})
    assert len(worker._reuse.models) == 0
