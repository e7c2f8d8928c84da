"""A trial on several devices trains as on one: tried on two halves of a CPU, which TensorFlow must be told of first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainables import Data
from trainables.devices import replicas

CHILD = """
import json, sys
from pathlib import Path
import numpy as np
import tensorflow as tf

halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)

import keras
from trainables import Data, KerasTrainable, TrialSettings
from trainables.devices import replicas

replicas.visible_devices = lambda backend: tf.config.list_logical_devices("CPU")


class Tiny(KerasTrainable):
    batch_size = 32

    def build_model(self, config):
        layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3, activation="softmax")]
        model = keras.Sequential([keras.Input((8,)), *layers])
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


def trial(folder, gpus, config={}):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(304, 8)).astype("float32")
    y = (x[:, 0] > 0).astype("int64") + (x[:, 1] > 0)
    data = Data((x, y), (x[:102], y[:102]))
    Path(folder).mkdir(exist_ok=True)
    settings = TrialSettings(metric="val_loss", mode="min", max_epochs=3, gpus=gpus, folder=folder)
    return Tiny.standalone(config, data, settings)


def epochs(worker, count):
    results = [worker.step() for _ in range(count)]
    return [[result.get("loss"), result.get("val_loss"), result.get("error")] for result in results]


folder = sys.argv[1]
one, two = trial(f"{folder}/one", None), trial(f"{folder}/two", 2)
report = {"one": epochs(one, 2), "two": epochs(two, 2)}
report["replicas"] = len(two.current_trial.training.model.trainable_variables[0].value.values)
begun = trial(f"{folder}/again", 2)
epochs(begun, 1)
begun.cleanup()
report["continued"] = epochs(trial(f"{folder}/again", 2), 2)
report["uneven"] = trial(f"{folder}/uneven", 2, config={"batch_size": 33}).step()["error"]
print(json.dumps(report))
"""


@pytest.mark.integration
@pytest.mark.slow
def test_two_replicas_train_as_one_and_go_on_from_checkpoints(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert child.returncode == 0, child.stderr
    report = json.loads(child.stdout.splitlines()[-1])
    assert report["replicas"] == 2
    for one, two in zip(report["one"], report["two"], strict=True):
        assert two == [pytest.approx(one[0], rel=1e-4), pytest.approx(one[1], rel=1e-4), None]
    # What was saved is reported once more, and then comes the next epoch.
    for continued, whole in zip(report["continued"], report["two"], strict=True):
        assert continued == [pytest.approx(whole[0], rel=1e-4), pytest.approx(whole[1], rel=1e-4), None]
    assert "on 2 GPUs it must be a multiple of 2" in report["uneven"]


def test_no_replica_is_left_without_an_example() -> None:
    x, y = np.arange(11.0).reshape(11, 1), np.arange(11)
    data = Data((x, y), (x[:5], y[:5]), (x[:3], y[:3]), class_names=("a",))
    cut = replicas.cut_evenly(data, {}, 4, 2)
    assert cut.examples == {"train": 10, "validation": 4, "test": 3}
    assert np.shares_memory(cut.train[0], x)
    assert cut.class_names == ("a",)
    assert replicas.cut_evenly(data, {"batch_size": 3}, 4, 1) is data


def test_on_one_device_a_batch_may_have_any_size_and_on_several_it_is_divided() -> None:
    data = Data((np.zeros((8, 1)), np.zeros(8)))
    with pytest.raises(ValueError, match=r"`batch_size` is 6, but on 4 GPUs it must be a multiple of 4"):
        replicas.cut_evenly(data, {"batch_size": 6}, 32, 4)


def test_without_several_gpus_nothing_is_divided() -> None:
    assert [replicas.count_devices(gpus) for gpus in (None, 0, 0.5, 1)] == [1] * 4


def test_pytorch_s_one_device_is_told() -> None:
    assert "uses only the first" in (replicas.multi_gpu_note("torch", 2) or "")
    assert replicas.multi_gpu_note("torch", 1) is None
    assert replicas.multi_gpu_note("tensorflow", 2) is None
