#!/usr/bin/env bash
# Keras: a callback that keeps the best value takes a first NaN for the best, and no later value is ever better.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: a value may not exist at the first epoch (a ratio that divides by the positives found so far) and fall steadily afterwards.
#   EarlyStopping takes the NaN as its best, compares each later value with it, finds none better, and ends the training after its
#   patience. ModelCheckpoint with save_best_only writes the first epoch and never again. ReduceLROnPlateau lowers the rate of a training
#   that improves at every epoch.
# Seen: "EarlyStopping ended after 3 of 8 epochs, its best is nan | files of ModelCheckpoint: 1 | learning rate 1e-05, began with 0.01".
# Exit status: 0 while Keras behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "keras==3.15.1" "tensorflow==2.21.0"
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES="" "$folder/venv/bin/python" - <<'PY' 2>/dev/null
import math
import sys
from pathlib import Path

import keras
import numpy as np

values = [float("nan"), 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["val_ratio"] = values[epoch]


def train(callback):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    x, y = np.ones((8, 2)), np.ones((8, 1))
    history = model.fit(x, y, epochs=len(values), verbose=0, callbacks=[Report(), callback])
    return len(history.epoch), float(model.optimizer.learning_rate)


stopping = keras.callbacks.EarlyStopping("val_ratio", mode="min", patience=2)
epochs, _ = train(stopping)
train(keras.callbacks.ModelCheckpoint("{epoch}.weights.h5", "val_ratio", mode="min", save_best_only=True, save_weights_only=True))
files = len(list(Path().glob("*.weights.h5")))
_, rate = train(keras.callbacks.ReduceLROnPlateau("val_ratio", mode="min", patience=2))
print(
    f"EarlyStopping ended after {epochs} of {len(values)} epochs, its best is {stopping.best} | files of ModelCheckpoint: {files} | "
    f"learning rate {rate:.0e}, began with 0.01"
)
sys.exit(0 if epochs == 3 and math.isnan(stopping.best) and files == 1 and rate < 0.001 else 1)
PY
