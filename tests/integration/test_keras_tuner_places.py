"""Searches for KerasTuner in a notebook, on a cluster, and on a tf.data.Dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_keras_tuner import run_script
from tune_jobs.results.find import load_run

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DATA = """
import keras
import numpy as np
import tune_jobs.keras_tuner as kt

x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int32")
"""
BUILD = """
classes = 2


def build_model(hp):
    hidden = keras.layers.Dense(hp.Int("units", 4, 32, step=4), activation="relu")
    model = keras.Sequential([keras.Input((x.shape[1],)), hidden, keras.layers.Dense(classes, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


tuner = kt.RandomSearch(build_model, "val_accuracy", max_trials=3, directory="searches", project_name="p", seed=1)
"""
SEARCH = "tuner.search(x, y, epochs=2, validation_split=0.25)"
RESULTS = """
tuner.results_summary(2)
models = tuner.get_best_models(2)
accuracy = models[0].evaluate(x[150:], y[150:], verbose=0, return_dict=True)["accuracy"]
assert abs(accuracy - tuner.oracle.get_best_trials()[0].score) < 1e-6
print("best:", tuner.get_best_hyperparameters()[0].values)
"""


def test_a_notebook_searches_and_cells_can_be_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    cells = [DATA, BUILD, "tuner.search_space_summary()", SEARCH, RESULTS, SEARCH, BUILD, RESULTS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    printed = [
        "".join(output.get("text", "") for output in cell["outputs"] if output.get("name") == "stdout")
        for cell in notebook.cells
    ]
    assert "units (Int)" in printed[2]
    assert printed[3].count("Running Trial #") == 3
    assert "Trial 3 Complete" in printed[3]
    assert "Showing 2 best trials" in printed[4]
    assert "Running Trial" not in printed[5]  # it has all its trials
    assert "Reloading Tuner from searches/p/experiment.json" in printed[6]
    assert printed[7].splitlines()[-1] == printed[4].splitlines()[-1]
    assert len(load_run(tmp_path / "searches" / "p").history().trials) == 3


DATASET = """
import tensorflow as tf

train = tf.data.Dataset.from_tensor_slices((x[:150], y[:150])).shuffle(150, seed=3)
train = train.map(lambda a, b: (a * 2.0, b)).batch(16)
seen = tf.data.Dataset.from_tensor_slices((x[150:] * 2, y[150:])).batch(25)
tuner.search(train.prefetch(2), validation_data=seen, epochs=2, verbose=0)
[best] = tuner.oracle.get_best_trials(1)
accuracy = tuner.get_best_models()[0].evaluate(seen, verbose=0, return_dict=True)["accuracy"]
assert abs(accuracy - best.score) < 1e-6, (accuracy, best.score)
print("done")
"""


def test_a_data_set_travels_to_the_workers(tmp_path: Path) -> None:
    result = run_script(tmp_path, DATA + BUILD + DATASET)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "done"
    assert len(load_run(tmp_path / "searches" / "p").history().trials) == 3


@pytest.fixture
def cluster() -> Any:
    """A head without trials, and two nodes."""
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80_000_000}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **small})
    for _ in range(2):
        made.add_node(num_cpus=1, **small)
    yield made
    made.shutdown()


def test_an_address_names_a_cluster(tmp_path: Path, cluster: Any) -> None:
    search = BUILD.replace('project_name="p"', f'project_name="p", address="{cluster.address}"')
    result = run_script(tmp_path, DATA + search + SEARCH + RESULTS + 'print("done")\n')
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "done"
    run = load_run(tmp_path / "searches" / "p")
    history = run.history()
    assert len(history.trials) == 3
    assert history.latest_start is not None
    assert (history.latest_start.nodes, history.latest_start.cpus) == (3, 2)


def test_code_that_has_changed_is_told_when_a_search_goes_on(tmp_path: Path) -> None:
    first = run_script(tmp_path, DATA + BUILD + SEARCH)
    assert first.returncode == 0, first.stderr
    again = BUILD.replace('activation="relu"', 'activation="tanh"')
    same = run_script(tmp_path, DATA + BUILD + SEARCH)
    assert "The code has changed" not in same.stderr
    for more in (again, again.replace("max_trials=3", "max_trials=4")):
        changed = run_script(tmp_path, DATA + more + SEARCH)
        assert changed.returncode == 0, changed.stderr
        assert "The code has changed: build_model." in changed.stderr
    assert len(load_run(tmp_path / "searches" / "p").history().trials) == 4


FOURTH = '''
"""Random search against Bayesian optimisation, as the fourth reference experiment does it, with a small network."""
import keras
import numpy as np
import tune_jobs.keras_tuner as kt
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(42)
patterns = rng.random((10, 12, 12))
labels = rng.integers(0, 10, size=700)
images = np.clip(patterns[labels] + rng.normal(scale=0.4, size=(700, 12, 12)), 0, 1).astype("float32")[..., None]
x_train, x_test, y_train, y_test = images[:600], images[600:], labels[:600], labels[600:]
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=42)


def build_model(hp):
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=(12, 12, 1)))
    model.add(keras.layers.Conv2D(8, 3, activation="relu"))
    model.add(keras.layers.MaxPooling2D(2))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(units=hp.Int("units", min_value=32, max_value=128, step=32), activation="relu"))
    model.add(keras.layers.Dropout(rate=hp.Float("dropout_rate", min_value=0.2, max_value=0.5, step=0.1)))
    model.add(keras.layers.Dense(10, activation="softmax"))
    learning_rate = hp.Float("learning_rate", min_value=1e-4, max_value=1e-2, sampling="LOG")
    optimizer = hp.Choice("optimizer", values=["adam", "rmsprop"])
    chosen = keras.optimizers.Adam(learning_rate) if optimizer == "adam" else keras.optimizers.RMSprop(learning_rate)
    model.compile(optimizer=chosen, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def compare(name, tuner):
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)
    tuner.search(x_train, y_train, epochs=4, validation_data=(x_val, y_val), callbacks=[stop], verbose=0)
    best = tuner.get_best_hyperparameters(num_trials=1)[0]
    [model] = tuner.get_best_models(num_models=1)
    trial = tuner.oracle.get_best_trials(num_trials=1)[0]
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{name}: trial {trial.trial_id}, val {trial.score:.4f}, test {accuracy:.4f}, {best.values}")
    assert set(best.values) == {"units", "dropout_rate", "learning_rate", "optimizer"}
    seen = model.evaluate(x_val, y_val, verbose=0, return_dict=True)["accuracy"]
    assert abs(seen - trial.score) < 1e-6, (seen, trial.score)
    return len(tuner.oracle.trials)


common = {"objective": "val_accuracy", "max_trials": 4, "directory": "tuning", "seed": 42}
assert compare("random", kt.RandomSearch(build_model, project_name="random", executions_per_trial=1, **common)) == 4
assert compare("bayesian", kt.BayesianOptimization(build_model, project_name="bayesian", **common)) == 4
print("done")
'''


def test_random_search_against_bayesian_optimisation(tmp_path: Path) -> None:
    result = run_script(tmp_path, FOURTH)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "done"
