#!/usr/bin/env bash
# Keras on TensorFlow: a dataset of unknown length makes the optimizer count one step more an epoch than it has batches.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: where `steps_per_execution` is 1 and the length of a tf.data.Dataset is not known, `fit` finds the end of an epoch by a
#   step that gets no batch. That step still adds 1 to `optimizer.iterations`, so learning rate schedules and Adam's correction of its
#   means move on. With `steps_per_execution=2`, or with a known length, an epoch counts its batches and no more.
# Seen: "10 batches, 3 epochs: unknown length 33, unknown length in steps of two 30, known length 30".
# Exit status: 0 while Keras behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "keras==3.15.1" "tensorflow==2.21.0"
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES="" "$folder/venv/bin/python" - <<'PY' 2>/dev/null
import sys

import keras
import tensorflow as tf

known = tf.data.Dataset.from_tensors((tf.ones((4, 2)), tf.ones((4, 1)))).repeat(10)
unknown = known.filter(lambda x, y: True)


def steps(dataset, steps_per_execution):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=steps_per_execution)
    model.fit(dataset, epochs=3, verbose=0)
    return int(model.optimizer.iterations)


counts = steps(unknown, 1), steps(unknown, 2), steps(known, 1)
print(
    f"10 batches, 3 epochs: unknown length {counts[0]}, unknown length in steps of two {counts[1]}, "
    f"known length {counts[2]}"
)
sys.exit(0 if counts == (33, 30, 30) else 1)
PY
