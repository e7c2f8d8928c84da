"""Code of the user's own in scripts for KerasTuner, on Ray: what it meets late is searched, and ASHA stops it early."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_keras_tuner import run_script
from tune_jobs.results import ParametersMet
from tune_jobs.results.find import load_run

pytestmark = pytest.mark.integration

LATE = """
import keras
import numpy as np
import tune_jobs.keras_tuner as kt

x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int32")


class Late(kt.RandomSearch):
    def run_trial(self, trial, x, y, **kwargs):
        hp = trial.hyperparameters
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 2, 8)), keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        model.train_on_batch(x, y)
        rounds = hp.Choice("more rounds", [1, 2, 3])  # first asked for when the model has been trained
        for _ in range(rounds):
            result = model.train_on_batch(x, y)
        return {"loss": result[0], "rounds": rounds}


def tuner(trials):
    return Late(objective=kt.Objective("loss", "min"), max_trials=trials, directory="d", project_name="late", seed=0)


first = tuner(5)
first.search(x, y)
first.search_space_summary()
for trial in first.oracle.trials.values():
    assert set(trial.hyperparameters.values) == {"units", "more rounds"}, trial
    rounds = trial.metrics.get_last_value("rounds")
    assert trial.hyperparameters.values["more rounds"] == rounds
    print("rounds:", trial.trial_id, rounds)
again = tuner(7)
again.search(x, y, verbose=0)
assert len(again.oracle.trials) == 7
print("done")
"""


@pytest.mark.usefixtures("warm")
def test_what_is_met_late_is_searched_and_goes_on(tmp_path: Path) -> None:
    result = run_script(tmp_path, LATE)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[-1] == "done"
    assert "more rounds (Choice)" in lines
    assert "New hyperparameters, searched from now on: more_rounds" in lines
    assert len({line.split()[-1] for line in lines if line.startswith("rounds:")}) > 1
    run = load_run(tmp_path / "d" / "late")
    met = [event for event in run.events() if isinstance(event, ParametersMet)]
    assert list(met[0].parameters) == ["more_rounds"]
    board = run.leaderboard()
    assert board["more_rounds"].notna().all()
    assert (board["more_rounds"] == board["rounds"]).all()


STOPPED = """
import keras
import numpy as np
import tune_jobs.keras_tuner as kt

x = np.random.default_rng(0).normal(size=(300, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int32")


class Scaled(kt.HyperModel):
    def build(self, hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        rate = hp.Float("rate", 1e-6, 1e-1, sampling="log")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        return model

    def fit(self, hp, model, x, y, validation_data=None, **kwargs):
        layer = keras.layers.Normalization()
        layer.adapt(x)
        seen = (np.asarray(layer(validation_data[0])), validation_data[1])
        kwargs["batch_size"] = hp.Choice("batch", [16, 32])
        return model.fit(np.asarray(layer(x)), y, validation_data=seen, **kwargs)


tuner = kt.ASHA(Scaled(), "val_loss", max_epochs=9, max_trials=8, directory="d", project_name="stopped", seed=0)
tuner.search(x[:200], y[:200], validation_data=(x[200:], y[200:]), verbose=0)
epochs = [len(trial.metrics.get_history("val_loss")) for trial in tuner.oracle.trials.values()]
print("epochs:", sorted(epochs))
assert 9 in epochs and min(epochs) < 9
model = tuner.get_best_models()[0]
assert model.get_weights()[0].shape == (4, 2)
print("done")
"""


@pytest.mark.slow
def test_asha_stops_a_fit_of_ones_own(tmp_path: Path) -> None:
    result = run_script(tmp_path, STOPPED)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "done"
