#!/usr/bin/env bash
# Keras: `fit` tells a PyDataset of one end of an epoch more than it has epochs, and `evaluate` tells it of two.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: `on_epoch_end` is where a PyDataset draws the next epoch's order. After one epoch of `fit` it has been called twice, after three
#   epochs four times, by one `evaluate` twice and by one `predict` once. A data set that counts its epochs by it, or takes its order from
#   a generator of its own, gets another order if one fit of three epochs is split into three of one.
# Seen: "ends after fit of 1 epoch: 2, of 3 epochs: 4, after 3 fits of 1 epoch: 6, after evaluate: 2, after predict: 1".
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


class Counting(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.ends = 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return np.ones((2, 2)), np.ones((2, 1))

    def on_epoch_end(self):
        self.ends += 1


model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")


def ends(use):
    data = Counting()
    use(data)
    return data.ends


one = ends(lambda data: model.fit(data, epochs=1, verbose=0))
three = ends(lambda data: model.fit(data, epochs=3, verbose=0))
parts = ends(lambda data: [model.fit(data, epochs=1, verbose=0) for _ in range(3)])
evaluated = ends(lambda data: model.evaluate(data, verbose=0))
predicted = ends(lambda data: model.predict(data, verbose=0))
print(
    f"ends after fit of 1 epoch: {one}, of 3 epochs: {three}, after 3 fits of 1 epoch: {parts}, after evaluate: {evaluated}, "
    f"after predict: {predicted}"
)
sys.exit(0 if (one, three, parts, evaluated, predicted) == (2, 4, 6, 2, 1) else 1)
PY
