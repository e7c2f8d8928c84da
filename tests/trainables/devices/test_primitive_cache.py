"""TensorFlow's cache of oneDNN's primitives: it is kept small between trials, and nothing depends on it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trainables.devices.primitive_cache import PrimitiveCache

# Fused matrix products of many shapes, as a search over widths makes them, with and without what keeps the cache small.
PROGRAM = """
import sys
from pathlib import Path
import tensorflow as tf
from trainables.devices.primitive_cache import PrimitiveCache

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

@tf.function(autograph=False, input_signature=[tf.TensorSpec((), tf.int32)] * 2)
def shapes(begin, end):
    def one(k, total):
        product = tf.nn.relu(tf.nn.bias_add(tf.matmul(tf.ones((64, k)), tf.ones((k, 100))), tf.ones(100)))
        return k + 1, total + product[0, 0]
    return tf.while_loop(lambda k, _: k < end, one, (begin, 0.0), parallel_iterations=1)[1]

def own_mib():
    _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
    return (int(resident) - int(shared)) / 256

cache = PrimitiveCache()
for trial in range(4 + 20):
    if trial == 4:
        before = own_mib()
    shapes(16 + 40 * trial, 16 + 40 * trial + 40)
    for _ in range(4):
        cache.count_new_model()
    if sys.argv[1] == "small":
        cache.keep_small()
print(own_mib() - before)
"""


def growth_mib(way: str) -> float:
    environment = {**os.environ, "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-c", PROGRAM, way]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    return float(done.stdout.split()[-1])


@pytest.mark.slow
@pytest.mark.integration
def test_the_cache_stays_small() -> None:
    assert growth_mib("small") < growth_mib("large") / 2


def test_it_is_used_after_some_new_models_only(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    cache = PrimitiveCache()
    monkeypatch.setattr("trainables.devices.primitive_cache._is_used", lambda: used.append(True))
    for _ in range(9):
        cache.count_new_model()
        cache.keep_small()
    assert len(used) == 2


def test_nothing_depends_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    def gone(*_: object, **__: object) -> object:
        raise AttributeError("gone")

    monkeypatch.setattr("trainables.devices.primitive_cache._is_used", lambda: True)
    monkeypatch.setattr(tf, "function", gone)
    cache = PrimitiveCache()
    for _ in range(4):
        cache.count_new_model()
    cache.keep_small()
