"""A worker keeps to its share of the machine, and its memory stays bounded however many trials it trains.

One child process does it all: what is limited can be limited only before TensorFlow starts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TRIALS = 24
CHILD = f"""
import json, os, psutil, sys
import trainables.worker_preload
from trainables import TrialSettings
from trainables.settings import TRIAL_KEY
from tests.support.tiny_trainables import Swish

worker = Swish.standalone({{"units": 64}}, settings=TrialSettings(cpus=2.5, gpus=0))

import tensorflow as tf
from tensorflow.python.framework import ops

resident_bytes, gradients, failed = [], [], []
for trial in range(1, {TRIALS} + 1):
    result = worker.step()
    if "loss" not in result:
        failed.append(result)
    # More architectures than are kept: each is traced anew, in turn with one that is not.
    units = 64 + trial % 7 if trial % 2 else 64
    worker.reset_config({{TRIAL_KEY: trial, "units": units}})
    resident_bytes.append(psutil.Process().memory_info().rss)
    gradients.append(len(ops.gradient_registry.list()))
imported = sorted({{"sklearn", "matplotlib"}} & set(sys.modules))

import keras

print(json.dumps({{
    "imported": imported,
    "classes": [keras.wrappers.SKLearnClassifier.__name__, keras.visualization.plot_image_gallery.__name__],
    "intra": tf.config.threading.get_intra_op_parallelism_threads(),
    "inter": tf.config.threading.get_inter_op_parallelism_threads(),
    "visible_gpus": os.environ["CUDA_VISIBLE_DEVICES"],
    "resident_bytes": resident_bytes,
    "gradients": gradients,
    "failed": failed,
}}))
"""


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "CUDA_VISIBLE_DEVICES": "0,1",
    }
    command = [sys.executable, "-c", CHILD]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert child.returncode == 0, child.stderr
    report: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return report


def test_every_trial_was_trained(report: dict[str, Any]) -> None:
    assert report["failed"] == []
    assert len(report["resident_bytes"]) == TRIALS


def test_tensorflow_has_as_many_threads_as_the_trial_has_cpus(report: dict[str, Any]) -> None:
    assert (report["intra"], report["inter"]) == (2, 2)


def test_what_keras_imports_for_few_is_there_for_who_uses_it(report: dict[str, Any]) -> None:
    assert report["imported"] == []
    assert report["classes"] == ["SKLearnClassifier", "plot_image_gallery"]


def test_a_trial_without_gpus_sees_none(report: dict[str, Any]) -> None:
    assert report["visible_gpus"] == ""


def test_the_memory_of_a_worker_is_bounded(report: dict[str, Any]) -> None:
    after_ten, at_the_end = report["resident_bytes"][9], report["resident_bytes"][-1]
    assert at_the_end <= 1.1 * after_ten
    # TensorFlow alone is so large that a tenth of it hides a leak of 2 MB a trial.
    assert at_the_end - after_ten < 20 * 2**20


def test_traced_gradients_are_forgotten(report: dict[str, Any]) -> None:
    assert report["gradients"][-1] <= report["gradients"][0]
