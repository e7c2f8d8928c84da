"""Scripts as people write them for KerasTuner, with only the import changed: they run to their end on Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.child_process import HANGS_S, tune_jobs
from tune_jobs.results.find import load_run

pytestmark = pytest.mark.integration

DIGITS = """
import keras
import numpy as np
import tune_jobs.keras_tuner as kt

rng = np.random.default_rng(0)
centres = rng.normal(size=(10, 64)) * 1.5
y_all = rng.integers(0, 10, size=900)
x_all = (centres[y_all] + rng.normal(size=(900, 64))).astype("float32")
(x_train, y_train), (x_test, y_test) = (x_all[:700], y_all[:700]), (x_all[700:], y_all[700:])
input_shape = x_train.shape[1:]


def build_model(hp):
    model = keras.Sequential()
    model.add(keras.Input(input_shape))
    for i in range(hp.Int("num_layers", 1, 5)):
        units = hp.Int("units_" + str(i), min_value=32, max_value=MOST, step=32)
        model.add(keras.layers.Dense(units=units, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    optimizer = hp.Choice("optimizer", values=["adam", "sgd", "rmsprop"])
    learning_rate = hp.Float("learning_rate", min_value=1e-4, max_value=1e-2, sampling="LOG")
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}
    model.compile(
        optimizer=kinds[optimizer](learning_rate=learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


tuner = kt.RandomSearch(
    build_model,
    objective="val_accuracy",
    max_trials=TRIALS,
    executions_per_trial=1,
    directory="my_dir",
    project_name="mnist",
    seed=0,
)
tuner.search_space_summary()
"""
SEARCH = """
tuner.search(x_train, y_train, epochs=2, validation_split=0.2, verbose=VERBOSE)
"""
REPORT = """
tuner.results_summary(3)
models = tuner.get_best_models(num_models=3)
print("test:", models[0].evaluate(x_test, y_test, verbose=0))
best = tuner.get_best_hyperparameters()[0]
print("best:", best.values)
model = tuner.hypermodel.build(best)
history = model.fit(x_train, y_train, epochs=1, verbose=0)
trial = tuner.oracle.get_best_trials(1)[0]
values = [observation.value[0] for observation in trial.metrics.get_history("val_accuracy")]
assert trial.score == max(values) == values[trial.best_step]
assert set(best.values) == {
    "num_layers", "optimizer", "learning_rate", *(f"units_{i}" for i in range(best.get("num_layers")))
}
validation = models[0].evaluate(x_train[560:], y_train[560:], verbose=0)
assert abs(validation[1] - trial.score) < 1e-6, (validation, trial.score)
"""


def run_script(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script, which has no ``__main__`` guard, in a folder."""
    (folder / "script.py").write_text(script)
    top = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": top, "TF_CPP_MIN_LOG_LEVEL": "2"}
    return subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=HANGS_S
    )


CHANGED = """
MOST = 256
changed = kt.RandomSearch(
    build_model, objective="val_accuracy", max_trials=5, directory="my_dir", project_name="mnist", seed=0
)
try:
    changed.search(x_train, y_train, epochs=2, validation_split=0.2)
except kt.FatalError as error:
    print("refused:", error)
"""


@pytest.mark.usefixtures("warm")
def test_a_script_for_keras_tuner_runs_and_goes_on(tmp_path: Path) -> None:
    first = run_script(tmp_path, f"MOST, TRIALS, VERBOSE = 512, 3, 1\n{DIGITS}{SEARCH}{REPORT}")
    assert first.returncode == 0, first.stderr
    for line in (
        "Default search space size: 8",
        "Search: Running Trial #1",
        "Value             |Best Value So Far |Hyperparameter",
        "Results in my_dir/mnist",
        "Showing 3 best trials",
        'Objective(name="val_accuracy", direction="max")',
    ):
        assert line in first.stdout.splitlines(), first.stdout
    run = load_run(tmp_path / "my_dir" / "mnist")
    assert len(run.history().trials) == 3

    again = run_script(tmp_path, f"MOST, TRIALS, VERBOSE = 512, 4, 0\n{DIGITS}{REPORT}{SEARCH}{REPORT}{CHANGED}")
    assert again.returncode == 0, again.stderr
    assert "Reloading Tuner from my_dir/mnist/experiment.json" in again.stdout
    assert "Running Trial" not in again.stdout
    assert again.stdout.count("test: [") == 2
    configs = [str(trial.config) for trial in run.history().trials.values()]
    assert len(set(configs)) == len(configs) == 4
    assert "refused: The search space has changed: - units_0 Int 32 … 512 step 32" in again.stdout
    assert "overwrite=True" in again.stdout

    board = tune_jobs(tmp_path, "leaderboard", "my_dir/mnist")
    assert board.returncode == 0, board.stderr
    assert "num_layers" in board.stdout


MODELS_WITHOUT_INPUT = """
import keras
import numpy as np
import tune_jobs.keras_tuner as kt

x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")
unpickled_note = "part of the closure"


class Hyper(kt.HyperModel):
    def build(self, hp):
        if hp.Boolean("broken") and hp.Choice("units", [2, 4]) == 4:
            raise ValueError(f"no such network, {unpickled_note}")
        model = keras.Sequential([keras.layers.Dense(hp.Choice("units", [2, 4])), keras.layers.Dense(1, "sigmoid")])
        f1 = keras.metrics.F1Score(threshold=0.5)
        model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=[f1])
        return model


tuner = kt.Hyperband(
    Hyper(), objective="val_f1_score", max_epochs=4, factor=2, directory="searches", project_name="f1", seed=1
)
tuner.search(x[:150], y[:150, None], validation_data=(x[150:], y[150:, None]), batch_size=16,
             callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=3)])
trials = tuner.oracle.trials.values()
print("statuses:", sorted({trial.status for trial in trials}))
print("epochs:", sorted(len(trial.metrics.get_history("loss")) for trial in trials if trial.score is not None))
print("messages:", {trial.message.splitlines()[-1] for trial in trials if trial.message})
scores = [trial.score for trial in tuner.oracle.get_best_trials(100)]
assert scores == sorted(scores, reverse=True)
[model] = tuner.get_best_models()
print("f1:", model.evaluate(x[150:], y[150:, None], verbose=0, return_dict=True)["f1_score"], scores[0])
reloaded = kt.Hyperband(Hyper(), objective="val_f1_score", max_epochs=4, factor=2, directory="searches",
                        project_name="f1")
assert np.allclose(reloaded.get_best_models()[0].predict(x, verbose=0), model.predict(x, verbose=0))
"""


@pytest.mark.slow
def test_models_built_by_their_first_batch_can_be_promoted_and_be_the_best(tmp_path: Path) -> None:
    result = run_script(tmp_path, MODELS_WITHOUT_INPUT)
    assert result.returncode == 0, result.stderr
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines() if ": " in line)
    assert "COMPLETED" in lines["statuses"]
    assert "4" in lines["epochs"]
    found, reported = map(float, lines["f1"].strip("[]").replace("[", "").replace("]", "").split())
    assert found == pytest.approx(reported)


OWN_CODE = """
import keras
import numpy as np
import tune_jobs.keras_tuner as kt

x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int32")


class Hyper(kt.HyperModel):
    def build(self, hp):
        model = keras.Sequential([keras.layers.Dense(hp.Choice("units", [4, 8])), keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        return model

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch_size", [16, 32]), **kwargs)


tuner = kt.RandomSearch(Hyper(), "val_accuracy", max_trials=2, directory="searches", project_name="fit", seed=3)
tuner.search(x, y, epochs=2, validation_split=0.25, verbose=0)
[best] = tuner.oracle.get_best_trials()
assert set(best.hyperparameters.values) == {"units", "batch_size"}
assert len(best.metrics.get_history("val_accuracy")) == 2
accuracy = tuner.get_best_models()[0].evaluate(x[150:], y[150:], verbose=0, return_dict=True)["accuracy"]
assert abs(accuracy - best.score) < 1e-6


class Folds(kt.RandomSearch):
    def run_trial(self, trial, x, y, **kwargs):
        losses = []
        for fold in range(2):
            model = self.hypermodel.build(trial.hyperparameters)
            model.fit(x[fold::2], y[fold::2], epochs=1, verbose=0)
            losses.append(model.evaluate(x[1 - fold :: 2], y[1 - fold :: 2], verbose=0)[0])
        self.save_model(trial.trial_id, model)
        return np.mean(losses)


folds = Folds(Hyper(), max_trials=2, directory="searches", project_name="folds", seed=3)
folds.search(x, y, verbose=0)
assert len(folds.get_best_models(2)) == 2
assert [trial.score for trial in folds.oracle.get_best_trials(2)] == sorted(
    trial.metrics.get_last_value("default_objective") for trial in folds.oracle.trials.values()
)
print("done")
"""


@pytest.mark.slow
def test_fits_and_trials_of_ones_own_run_on_ray(tmp_path: Path) -> None:
    result = run_script(tmp_path, OWN_CODE)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "done"


SKLEARN = """
import tune_jobs.keras_tuner as kt
from sklearn import datasets, ensemble, linear_model, metrics, model_selection


def build_model(hp):
    model_type = hp.Choice("model_type", ["random_forest", "ridge"])
    if model_type == "random_forest":
        return ensemble.RandomForestClassifier(
            n_estimators=hp.Int("n_estimators", 10, 50, step=10), max_depth=hp.Int("max_depth", 3, 10), random_state=0
        )
    return linear_model.RidgeClassifier(alpha=hp.Float("alpha", 1e-3, 1, sampling="log"))


tuner = kt.tuners.SklearnTuner(
    oracle=kt.oracles.BayesianOptimizationOracle(objective=kt.Objective("score", "max"), max_trials=5, seed=0),
    hypermodel=build_model,
    scoring=metrics.make_scorer(metrics.accuracy_score),
    cv=model_selection.StratifiedKFold(5),
    directory=".",
    project_name="my_project",
)
X, y = datasets.load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = model_selection.train_test_split(X, y, test_size=0.2, random_state=0)
tuner.search(X_train, y_train)
best_model = tuner.get_best_models(num_models=1)[0]
assert best_model.score(X_test, y_test) > 0.8
frame = tuner.cv_results_
assert len(frame) == 5 and frame["rank_test_score"].min() == 1
assert abs(frame["mean_test_score"].max() - tuner.oracle.get_best_trials()[0].score) < 1e-12
print("done")
"""


@pytest.mark.slow
def test_estimators_are_cross_validated_on_ray(tmp_path: Path) -> None:
    result = run_script(tmp_path, SKLEARN)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "done"
