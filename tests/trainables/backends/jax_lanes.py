"""Tests of trials that are trained together on JAX. ``test_together`` runs them in a process of that backend."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from trainables import Data, FitOptions, KerasTrainable
from trainables.input import vmapped_jax
from trainables.report import Report
from trainables.settings import ControlValues, TrialSettings
from trainables.together import TrainedTogether

EPOCHS = 3
RTOL = float(os.environ.get("TOGETHER_RTOL", "1e-5"))
OPTIMIZERS = {
    "adam": lambda rate: keras.optimizers.Adam(rate),
    "averaged": lambda rate: keras.optimizers.Adam(rate, use_ema=True),
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
}


def images(examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, examples).astype("int32")
    return (generator.normal(size=(examples, 6, 6, 1)) + 0.5 * y[:, None, None, None]).astype("float32"), y


DATA = Data(train=images(50, 0), validation=images(24, 1))


class Net(KerasTrainable):
    """A small network; the last batch of its 50 examples is smaller than the others."""

    batch_size = 16

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Return the compiled model: ``kind`` says which layers it has."""
        kind, layers = config.get("kind", "dense"), keras.layers
        # Without a bias before a normalisation: its gradient is rounding alone, of which Adam makes whole steps.
        first = layers.Conv2D(4, 3, use_bias=False) if kind == "conv" else layers.Flatten()
        hidden = [layers.Dense(8, use_bias=kind == "dense")]
        normalised = [] if kind == "dense" else [layers.BatchNormalization()]
        dropout = [layers.Dropout(0.3, seed=config.get("seed")), *([Own()] if config.get("own") else [])]
        outputs = [layers.ReLU(), layers.Flatten(), *dropout, layers.Dense(3, activation="softmax")]
        model = (Stepping if config.get("steps") else keras.Sequential)(
            [keras.Input((6, 6, 1)), first, *(hidden if kind != "conv" else []), *normalised, *outputs]
        )
        optimizer = OPTIMIZERS[config.get("optimizer", "adam")](config.get("rate", 0.01))
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return the callbacks and weights of a configuration."""
        stopping = [keras.callbacks.EarlyStopping("loss", patience=1, min_delta=100)] if config.get("stops") else []
        raising = [Raises()] if config.get("raises") else []
        weights = {0: config["weight"]} if "weight" in config else None
        return FitOptions(callbacks=[*stopping, *raising], class_weight=weights and {1: 1.0, 2: 1.0, **weights})


class Own(keras.layers.Layer):
    """A layer of the user's own, whose code nobody knows."""

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


class Stepping(keras.Sequential):
    """A model with a step of its own."""

    def train_step(self, state: Any, data: Any) -> Any:
        """Train as Keras does."""
        return super().train_step(state, data)


class Raises(keras.callbacks.Callback):
    """Fails in the second epoch."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Fail."""
        if epoch == 1:
            raise ValueError("broken on purpose")


def settings(folder: Path | None = None) -> TrialSettings:
    where = None if folder is None else str(folder)
    # As in a run, where JAX keeps its programs on the disk.
    resources: dict[str, Any] = {"cpus": 1, "gpus": float(os.environ.get("TOGETHER_GPUS", "0"))}
    return TrialSettings("val_accuracy", "max", max_epochs=EPOCHS, seed=7, folder=where, milestones=(1, 2), **resources)


def wrapped(number: int, config: dict[str, Any], reported: int = 0) -> dict[str, Any]:
    return ControlValues(number, reported).wrap(config)


def weights_of(held: KerasTrainable) -> list[np.ndarray]:
    return [np.array(weight) for weight in held.current_trial.training.model.get_weights()]


def alone(number: int, config: dict[str, Any]) -> tuple[list[Report], list[np.ndarray]]:
    held = Net.standalone(wrapped(number, config), data=DATA, settings=settings())
    reports = [held.step()]
    while not reports[-1]["done"]:
        reports.append(held.step())
    weights = weights_of(held)
    held.cleanup()
    return reports, weights


def together(
    configs: list[dict[str, Any]], folder: Path | None = None, epochs: int = EPOCHS
) -> tuple[list[list[Report]], list[list[np.ndarray]], TrainedTogether]:
    """Train each configuration in a lane of its own, as long as it lasts; return reports and weights of each."""
    lanes = TrainedTogether(Net, DATA, settings(folder))
    reports: list[list[Report]] = [[] for _ in configs]
    weights: list[list[np.ndarray]] = [[] for _ in configs]
    for epoch in range(epochs):
        going = [number for number, told in enumerate(reports) if not (told and told[-1]["done"])]
        asked = {number: None if epoch else wrapped(number, configs[number]) for number in going}
        for number, report in (lanes.train(asked) if asked else {}).items():
            reports[number].append(report)
            weights[number] = weights_of(lanes.held(number))
    return reports, weights, lanes


def assert_alike(found: list[Report], expected: list[Report]) -> None:
    assert len(found) == len(expected)
    for mine, other in zip(found, expected, strict=True):
        assert mine["error"] == other["error"]
        assert mine["done"] == other["done"]
        assert mine["metrics"].keys() == other["metrics"].keys()
        for name, value in other["metrics"].items():
            np.testing.assert_allclose(mine["metrics"][name], value, rtol=RTOL, atol=RTOL / 10, err_msg=name)


def assert_trained_as_alone(configs: list[dict[str, Any]]) -> TrainedTogether:
    reports, weights, lanes = together(configs)
    for number, config in enumerate(configs):
        expected, expected_weights = alone(number, config)
        assert_alike(reports[number], expected)
        for mine, other in zip(weights[number], expected_weights, strict=True):
            np.testing.assert_allclose(mine, other, rtol=10 * RTOL, atol=RTOL / 10)
    assert lanes.meeting.failures == {}
    lanes.cleanup()
    return lanes


def test_small_three_lanes_with_other_rates_train_as_alone() -> None:
    lanes = assert_trained_as_alone([{"rate": rate} for rate in (0.01, 0.001, 0.03)])
    assert lanes.meeting.together == {3: 3 * EPOCHS}  # whole batches, the last one, and those to validate on


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_lanes_trains_as_alone(count: int) -> None:
    lanes = assert_trained_as_alone([{"rate": 0.01 / (number + 1)} for number in range(count)])
    assert set(lanes.meeting.together) == {count}


@pytest.mark.parametrize("kind", ["dense", "normalised", "conv"])
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_models_and_optimizers_train_as_alone(kind: str, optimizer: str) -> None:
    config = {"kind": kind, "optimizer": optimizer}
    lanes = assert_trained_as_alone([{**config, "rate": 0.01}, {**config, "rate": 0.003, "weight": 2.0}, config])
    assert lanes.meeting.together.keys() == {1, 2}  # weights make another program


def test_lanes_that_end_early_or_fail_leave_the_others_as_they_are() -> None:
    configs = [{"stops": True}, {"rate": 0.02}, {"raises": True}, {"rate": 1e30}, {"rate": 0.001}]
    reports, _, lanes = together(configs)
    assert [len(told) for told in reports] == [2, 3, 2, 1, 3]
    assert "broken on purpose" in str(reports[2][-1]["error"])
    for number in (0, 1, 4):
        assert_alike(reports[number], alone(number, configs[number])[0])
    assert lanes.meeting.failures == {}
    lanes.cleanup()


def test_a_lane_is_given_another_trial_while_the_others_go_on() -> None:
    lanes = TrainedTogether(Net, DATA, settings())
    lanes.train({0: wrapped(0, {"rate": 0.01}), 1: wrapped(1, {"rate": 0.02})})
    first = lanes.train({0: None, 1: wrapped(2, {"rate": 0.03})})
    second = lanes.train({0: None, 1: None})
    assert_alike([first[0], second[0]], alone(0, {"rate": 0.01})[0][1:])
    assert_alike([first[1], second[1]], alone(2, {"rate": 0.03})[0][:2])
    lanes.cleanup()


def test_a_checkpoint_of_a_lane_is_continued_alone(tmp_path: Path) -> None:
    configs = [{"rate": 0.01}, {"rate": 0.003}]
    _, _, lanes = together(configs, tmp_path, epochs=2)
    lanes.wait_until_saved()
    lanes.cleanup()
    held = Net.standalone(wrapped(1, configs[1], reported=2), data=DATA, settings=settings(tmp_path))
    repeated, last = held.step(), held.step()
    assert_alike([repeated, last], alone(1, configs[1])[0][1:])
    held.cleanup()


def test_small_models_that_cannot_be_trained_together_say_so_and_train() -> None:
    reports, _, lanes = together([{"own": True}, {"steps": True}, {"rate": 0.01}])
    notes = [[line for report in told for _, line in report.get("notes", ())] for told in reports]
    assert [sum("code that is not Keras's own" in line for line in lines) for lines in notes] == [1, 0, 0]
    assert [sum("steps of its own" in line for line in lines) for lines in notes] == [0, 1, 0]
    assert [report["epoch"] for told in reports for report in told] == [1, 2, 3] * 3
    assert not any(report.get("notes") for told in reports for report in told[2:])
    lanes.cleanup()


def test_small_trials_that_go_on_from_a_checkpoint_are_trained_together_and_without_a_note(tmp_path: Path) -> None:
    configs = [{"rate": 0.01}, {"rate": 0.003}]
    _, _, lanes = together(configs, tmp_path, epochs=2)
    lanes.wait_until_saved()
    lanes.cleanup()
    again = TrainedTogether(Net, DATA, settings(tmp_path))
    repeated = again.train({lane: wrapped(lane, config, reported=2) for lane, config in enumerate(configs)})
    assert again.meeting.together == {}
    last = again.train({0: None, 1: None})
    assert again.meeting.together.keys() == {2}
    for lane, config in enumerate(configs):
        assert_alike([repeated[lane], last[lane]], alone(lane, config)[0][1:])
        notes = [*repeated[lane].get("notes", ()), *last[lane].get("notes", ())]
        assert not [line for _, line in notes if "takes turns" in line]
    again.cleanup()


def test_a_program_for_several_that_fails_leaves_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory")

    monkeypatch.setattr(vmapped_jax, "compiled", fail)
    configs = [{"rate": 0.01}, {"rate": 0.02}]
    reports, _, lanes = together(configs)
    for number, config in enumerate(configs):
        assert_alike(reports[number], alone(number, config)[0])
    lines = [line for report in reports[0] for _, line in report.get("notes", ())]
    assert [line for line in lines if "RESOURCE_EXHAUSTED" in line]
    lanes.cleanup()
