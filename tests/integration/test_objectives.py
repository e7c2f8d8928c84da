"""Two objectives and constraints on a real Ray: what is measured, what is refused, and what resuming makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.child_process import tune_jobs
from tune_jobs.results import Status
from tune_jobs.results.run import Run

pytestmark = pytest.mark.integration

EXPERIMENT = """
import keras
import numpy as np
from search_spaces import Float, Int, SearchSpace
from trainables import Data, KerasTrainable
from tune_jobs import Experiment, Objective, Random


class Signs(KerasTrainable):
    def load_data(self):
        x = np.random.default_rng(0).normal(size=(128, 4)).astype("float32")
        return Data(train=(x, (x[:, 0] > 0).astype("int32")), validation=(x[:32], (x[:32, 0] > 0).astype("int32")))

    def build_model(self, config):
        layers = [keras.Input((4,)), keras.layers.Dense(config["units"], "relu"), keras.layers.Dense(2, "softmax")]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.SGD(config["rate"]), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


EXPERIMENT = Experiment(
    Signs,
    SearchSpace(units=Int(1, 64), rate=Float(0.01, 1.0, log=True)),
    objectives=[Objective("val_accuracy", "max"), Objective("parameters", "min"), Objective("inference_ms", "min")],
    constraints=["parameters <= 300", "units > 4"],
    searcher=Random(),
    max_epochs=3,
    trials=4,
)
"""


@pytest.mark.usefixtures("warm")
def test_what_is_refused_is_not_trained_and_the_front_is_of_the_rest(tmp_path: Path) -> None:
    (tmp_path / "signs.py").write_text(EXPERIMENT, encoding="utf-8")
    first = tune_jobs(tmp_path, "run", "signs.py", "--name", "signs")
    assert first.returncode == 0, first.stderr
    run = Run(tmp_path / "runs" / "signs")
    more = tune_jobs(tmp_path, "resume", "signs", "--trials", "6")
    assert more.returncode == 0, more.stderr
    trials = run.history().trials
    for trial in trials.values():
        parameters = 7 * trial.config["units"] + 2
        if trial.config["units"] > 4 and parameters <= 300:
            assert trial.epochs[1].metrics["parameters"] == parameters
            assert trial.epochs[1].metrics["inference_ms"] > 0
        else:
            assert (trial.status, len(trial.epochs)) == (Status.REFUSED, 0)
            assert trial.reason in (
                f"refused: units {trial.config['units']} <= 4",
                f"refused: parameters {parameters} > 300",
            )
    assert len([trial for trial in trials.values() if trial.epochs]) == 6
    assert any(trial.status is Status.REFUSED for trial in trials.values())
    front = tune_jobs(tmp_path, "leaderboard", "signs", "--pareto", "--format", "json")
    assert front.returncode == 0, front.stderr
    assert all(row["feasible"] for row in json.loads(front.stdout))
