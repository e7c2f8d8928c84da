"""A worker that trains a compiled model again trains it as it would have trained a fresh one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import pytest

from tests.support.outcomes import BeginTrial, Outcome, assert_same, outcome_of
from tests.support.tiny_trainables import Everything, Tiny, tiny_data
from tests.support.traced import Traced, Traces, without_reuse
from trainables import FitOptions, TrialSettings
from trainables.settings import TRIAL_KEY


def run_trials(
    begin: BeginTrial, trainable: type[Tiny], configs: Sequence[dict[str, Any]], epochs: int = 2, **options: Any
) -> list[Outcome]:
    """Train some trials in one worker, one after another."""
    settings = {"metric": "val_loss", "mode": "min", **options}
    worker = begin(trainable, {**configs[0], TRIAL_KEY: 0}, tiny_data(), **settings)
    outcomes = [outcome_of(worker, epochs)]
    for trial, config in enumerate(configs[1:], 1):
        worker.reset_config({**config, TRIAL_KEY: trial})
        outcomes.append(outcome_of(worker, epochs))
    return outcomes


def assert_equal(found: Sequence[Outcome], expected: Sequence[Outcome]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)


# Counted, so that an overhead that comes back is noticed on any machine.


def test_one_architecture_is_traced_once_however_many_trials_have_it(begin: BeginTrial, traces: Traces) -> None:
    run_trials(begin, Traced, [{"rate": rate} for rate in (0.1, 0.01, 0.3, 0.02)])
    assert (traces.train, traces.test) == (1, 1)


def test_a_new_architecture_is_traced_once(begin: BeginTrial, traces: Traces) -> None:
    run_trials(begin, Traced, [{"units": 2}, {"units": 3}], epochs=1)
    assert (traces.train, traces.test) == (2, 2)


def test_executions_share_models_with_later_trials_but_not_with_each_other(begin: BeginTrial, traces: Traces) -> None:
    run_trials(begin, Traced, [{}, {}], executions=2)
    assert (traces.train, traces.test) == (2, 2)


def test_what_is_switched_off_is_off(begin: BeginTrial, traces: Traces) -> None:
    run_trials(begin, without_reuse(Traced), [{}, {}], epochs=1)
    assert (traces.train, traces.test) == (2, 2)


# The results do not change.


class All(Everything):
    """Dropout, batch normalisation, averaged weights, class weights, augmentation, callbacks with memory."""


@pytest.mark.parametrize(
    ("trainable", "configs", "traced"),
    [
        (All, [{"patience": 9}, {"patience": 9}, {"patience": 1}], 1),
        (Traced, [{"rate": 0.3}, {"rate": 0.01}, {"rate": 0.3, "dropout": 0.1}, {"rate": 0.1}], 2),
        (Traced, [{"optimizer": "Adam", "rate": rate, "options": {"use_ema": True}} for rate in (0.1, 0.01)], 1),
    ],
)
def test_results_are_bitwise_those_of_models_traced_anew(
    begin: BeginTrial, traces: Traces, trainable: type[Tiny], configs: Sequence[dict[str, Any]], traced: int
) -> None:
    reused = run_trials(begin, trainable, configs)
    assert traces.train == traced
    assert_equal(reused, run_trials(begin, without_reuse(trainable), configs))


class Freezing(keras.callbacks.Callback):
    """Changes what is traced, and changes it back at the end."""

    def __init__(self, hook: str) -> None:
        super().__init__()
        setattr(self, hook, self.freeze)

    def freeze(self, *_: Any, **__: Any) -> None:
        self.model.layers[0].trainable = False

    def on_train_end(self, logs: Any = None) -> None:
        self.model.layers[0].trainable = True


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_train_batch_begin"])
def test_what_a_callback_changes_before_the_first_step_is_traced(begin: BeginTrial, hook: str) -> None:
    configs = [{}, {"callbacks": [Freezing(hook)]}, {}]
    reused = run_trials(begin, Traced, configs, epochs=1)
    fresh_configs = [{}, {"callbacks": [Freezing(hook)]}, {}]
    assert_equal(reused, run_trials(begin, without_reuse(Traced), fresh_configs, epochs=1))


class Leading(keras.callbacks.Callback):
    """Reaches the optimizer by another way than through its own model."""

    known: ClassVar[dict[str, Any]] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.known["optimizer"].learning_rate.assign(0.0)


class Remembering(Traced):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = super().build_model(config)
        Leading.known["optimizer"] = model.optimizer
        return model


def test_models_are_not_exchanged_where_others_hold_them(begin: BeginTrial) -> None:
    def configs() -> list[dict[str, Any]]:
        return [{"callbacks": [Leading()]} for _ in range(2)]

    assert_equal(run_trials(begin, Remembering, configs()), run_trials(begin, without_reuse(Remembering), configs()))


class Failing(Traced):
    """Its first trial fails at the end of its first epoch."""

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: 1 / config.get("divisor", 1))
        return FitOptions(callbacks=[callback], steps_per_execution=1)


def test_a_worker_keeps_nothing_of_a_trial_that_failed(begin: BeginTrial, traces: Traces) -> None:
    worker = begin(Failing, {"divisor": 0}, tiny_data(), **vars(TrialSettings()))
    assert "ZeroDivisionError" in worker.step()["error"]
    worker.reset_config({TRIAL_KEY: 1})
    assert worker.step()["error"] is None
    worker.reset_config({TRIAL_KEY: 2})
    assert worker.step()["error"] is None
    assert traces.train == 2  # the second trial's model was traced, and kept for the third
