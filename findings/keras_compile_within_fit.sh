#!/usr/bin/env bash
# Keras on TensorFlow: a callback that compiles the model again at the end of an epoch makes `fit` raise an error at the next epoch.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: unfreezing layers in a callback needs a new compile(), and compile() drops the compiled train function. `fit` makes that
#   function once, before its first epoch, and looks it up at each: after the callback it finds None. Two calls of `fit`, with the
#   compile between them, work.
# Seen: "one fit: TypeError: 'NoneType' object is not callable" and "two fits: 4 epochs".
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

x = np.linspace(0, 1, 64, dtype="float32").reshape(-1, 1)


def new_model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, trainable=False), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def unfreeze(model):
    model.layers[0].trainable = True
    model.compile("sgd", "mse")


class Unfreeze(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            unfreeze(self.model)


try:
    new_model().fit(x, x, epochs=4, verbose=0, callbacks=[Unfreeze()])
    one = "4 epochs"
except Exception as error:
    one = f"{type(error).__name__}: {error}"

model = new_model()
epochs = len(model.fit(x, x, epochs=2, verbose=0).epoch)
unfreeze(model)
epochs += len(model.fit(x, x, epochs=2, verbose=0).epoch)
print(f"one fit: {one}\ntwo fits: {epochs} epochs")
sys.exit(0 if one == "TypeError: 'NoneType' object is not callable" and epochs == 4 else 1)
PY
