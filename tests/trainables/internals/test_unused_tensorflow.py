"""On JAX, Keras describes models without TensorFlow, and with it where somebody has imported it."""

from __future__ import annotations

import subprocess
import sys

import keras
import pytest
from keras.src.utils import module_utils

from tests.trainables.backends.test_backends import needs
from tests.trainables.backends.test_jax import environment
from trainables.internals import unused_tensorflow as module
from trainables.internals.unused_tensorflow import unused_tensorflow

SAVED = """
import sys, tempfile
from pathlib import Path
from trainables import TrialSettings
from trainables.storage.architecture import architecture
from tests.support.tiny_trainables import Tiny, tiny_data

with tempfile.TemporaryDirectory() as folder:
    worker = Tiny.standalone({}, data=tiny_data(), settings=TrialSettings(max_epochs=1, folder=folder))
    assert worker.step()["done"]
    worker.cleanup()
    (text,) = [path.read_text() for path in Path(folder).rglob("model.json")]
assert "tensorflow" not in sys.modules
from trainables.internals.unused_tensorflow import unused_tensorflow
import keras
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
with unused_tensorflow():
    without = model.to_json()
assert without == model.to_json()
assert "tensorflow" in sys.modules  # Keras alone imports it: when it does not any more, the module above is of no use
"""


@pytest.mark.parametrize("backend", [needs("jax")])
def test_a_worker_saves_a_model_without_importing_tensorflow(backend: str) -> None:
    more = environment(KERAS_BACKEND=backend, JAX_ENABLE_COMPILATION_CACHE="false")
    child = subprocess.run([sys.executable, "-c", SAVED], env=more, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr[-3000:]


def test_keras_keeps_whether_there_is_a_tensorflow_where_the_module_looks() -> None:
    assert "_available" in vars(module_utils.tensorflow)


@pytest.mark.parametrize("is_available", [None, True, False])
def test_keras_knows_afterwards_what_it_knew_before(monkeypatch: pytest.MonkeyPatch, is_available: bool | None) -> None:
    lazy = module_utils.LazyModule("tensorflow")
    lazy._available = is_available
    monkeypatch.setattr(module_utils, "tensorflow", lazy)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with unused_tensorflow():
        assert vars(lazy)["_available"] is (False if is_available is None else is_available)
    assert vars(lazy)["_available"] is is_available
    assert lazy.module is None


def test_without_the_names_keras_describes_models_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    monkeypatch.setattr(module, "_MODULE", "keras.src.utils.gone")
    with unused_tensorflow():
        assert keras.models.model_from_json(model.to_json()).count_params() == 3
