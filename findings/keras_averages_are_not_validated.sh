#!/usr/bin/env bash
# Keras: with `use_ema=True`, the last `val_loss` of `fit` belongs to other weights than those that `fit` leaves in the model.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: an optimizer that averages the weights puts the averages into the model at the end of `fit`. Every validation within `fit` has
#   judged the weights of that moment, and none the averages, the last one included. So the history tells a value that the finished
#   model does not have, and a search, an EarlyStopping or a ModelCheckpoint chooses by models that nobody gets.
# Seen: "last val_loss 0.004, loss of the model that fit left 0.030".
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

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
x, y = np.ones((8, 2)), np.ones((8, 1))
history = model.fit(x, y, epochs=3, batch_size=8, validation_data=(x, y), verbose=0)
told, had = history.history["val_loss"][-1], model.evaluate(x, y, verbose=0)
print(f"last val_loss {told:.3f}, loss of the model that fit left {had:.3f}")
sys.exit(0 if had > 5 * told else 1)
PY
