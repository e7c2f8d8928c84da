"""On JAX, TensorFlow is not imported to be seeded, and is seeded when somebody imports it."""

from __future__ import annotations

import subprocess
import sys

import keras
import pytest

from tests.trainables.backends.test_backends import needs
from tests.trainables.backends.test_jax import environment
from trainables.internals import tensorflow_seed

SEEDED = """
import sys
from trainables import TrialSettings
from trainables.random_streams import trial_seed
from tests.support.tiny_trainables import Tiny, tiny_data

worker = Tiny.standalone({}, data=tiny_data(), settings=TrialSettings(seed=5))
assert worker.step()["error"] is None
assert "tensorflow" not in sys.modules
import tensorflow as tf
drawn = float(tf.random.uniform(()))
tf.random.set_seed(trial_seed(5, 0))
assert drawn == float(tf.random.uniform(()))
"""


@pytest.mark.parametrize("backend", [needs("jax")])
def test_tensorflow_is_imported_only_by_those_who_use_it_and_begins_with_the_trials_seed(backend: str) -> None:
    more = environment(KERAS_BACKEND=backend, JAX_ENABLE_COMPILATION_CACHE="false")
    child = subprocess.run([sys.executable, "-c", SEEDED], env=more, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr[-3000:]


def test_without_the_names_keras_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setattr(keras.utils, "set_random_seed", seeds.append)
    monkeypatch.setattr(tensorflow_seed, "keras_state_module", lambda: None)
    tensorflow_seed.set_random_seed(3)
    assert seeds == [3]
