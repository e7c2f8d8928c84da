#!/usr/bin/env bash
# Keras: the losses that `evaluate` gives for single outputs weigh a small last batch like a whole one, and do not add up to the loss.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: a model has two equal outputs, whose mean squared error over five examples is 20.8 each. Read in batches of 4 and 1, the loss is
#   41.6, as it should be, but each part of it is told as 50.5: the mean of the two batches' values, without their sizes. With another
#   batch size the parts are others. Whoever compares models by `val_<output>_loss` compares batch sizes, too.
# Seen: "loss 41.6, its parts 50.5 and 50.5, in batches of 4 | loss 41.6, its parts 20.8 and 20.8, in one batch".
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

inputs = keras.Input((1,))
outputs = [keras.layers.Dense(1, name=name, kernel_initializer="ones")(inputs) for name in ("left", "right")]
model = keras.Model(inputs, outputs)
model.compile("sgd", ["mse", "mse"])
x, y = np.array([[1.0], [1.0], [1.0], [1.0], [10.0]]), np.zeros((5, 1))


def losses(batch_size):
    found = model.evaluate(x, [y, y], batch_size=batch_size, verbose=0, return_dict=True)
    return [round(found[name], 1) for name in ("loss", "left_loss", "right_loss")]


pieces, whole = losses(4), losses(5)
text = "loss {}, its parts {} and {}, in {}"
print(text.format(*pieces, "batches of 4"), "|", text.format(*whole, "one batch"))
sys.exit(0 if pieces == [41.6, 50.5, 50.5] and whole == [41.6, 20.8, 20.8] else 1)
PY
