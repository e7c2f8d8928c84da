#!/usr/bin/env bash
# tf.data: to drop an iterator that has been read to its end takes milliseconds, asleep, unless autotuning is off.
#
# Versions: tensorflow 2.21.0, Python 3.11.
# Surprise: a data set of one element, from a slice of an array, has nothing to tune. Still each of its iterators gets a thread that
#   adjusts it, and whoever drops the iterator waits until that thread has woken up and ended: 2 to 8 ms, in which the process computes
#   nothing. Keras makes and drops one iterator for each `fit` and one for its validation, so a loop of short `fit` calls sleeps for
#   longer than it trains: an epoch of 10 ms took 21 ms. With `options.autotune.enabled = False` dropping takes 0.1 ms.
# Seen: "to drop an iterator: autotuned 5.53 ms, not autotuned 0.12 ms" (1.9 to 7.6 and 0.1 to 0.2 in several runs).
# Exit status: 0 while TensorFlow behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "tensorflow==2.21.0"
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES="" "$folder/venv/bin/python" - <<'PY' 2>/dev/null
import statistics
import sys
import time

import numpy as np
import tensorflow as tf


def drop_ms(is_autotuned):
    options = tf.data.Options()
    options.autotune.enabled = is_autotuned
    dataset = tf.data.Dataset.from_tensor_slices(np.zeros((1, 2), np.float32)).with_options(options)
    times = []
    for _ in range(100):
        iterator = iter(dataset)
        for _ in iterator:
            pass
        began = time.perf_counter()
        del iterator
        times.append((time.perf_counter() - began) * 1000)
    return statistics.mean(times[20:])


tuned, plain = drop_ms(True), drop_ms(False)
print(f"to drop an iterator: autotuned {tuned:.2f} ms, not autotuned {plain:.2f} ms")
sys.exit(0 if tuned > 4 * plain else 1)
PY
