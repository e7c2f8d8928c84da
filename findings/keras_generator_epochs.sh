#!/usr/bin/env bash
# Keras: `fit` with a Python generator and several epochs trains on the first two batches again once the generator is used up.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: a generator can be read once. One might expect an error, or no batches, from the second epoch on. Keras takes the first two
#   batches beforehand to learn their shapes, and puts them before each epoch: the second and the third epoch consist of them. The
#   history has three epochs, and no error is raised.
# Seen: "batches of epoch 1: 0 1 2 3 4 5 6 7 8 9 | 2: 0 1 | 3: 0 1".
# Exit status: 0 while Keras behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "keras==3.15.1" "tensorflow==2.21.0"
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES="" "$folder/venv/bin/python" - <<'PY' 2>/dev/null
import sys

import keras
import numpy as np

trained_on = []


class Recording(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        trained_on[-1].append(int(data[1][0, 0]))
        return super().train_step(data)


class NewEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        trained_on.append([])


def batches():
    for number in range(10):
        yield np.ones((4, 2), "float32"), np.full((4, 1), number, "float32")


model = Recording()
model.compile("sgd", "mse", run_eagerly=True)
model.fit(batches(), epochs=3, verbose=0, callbacks=[NewEpoch()])
first, second, third = (" ".join(map(str, epoch)) for epoch in trained_on)
print(f"batches of epoch 1: {first} | 2: {second} | 3: {third}")
sys.exit(0 if trained_on == [list(range(10)), [0, 1], [0, 1]] else 1)
PY
