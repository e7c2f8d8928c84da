#!/usr/bin/env bash
# Keras: an adapted Normalization that gets its weights by `set_weights` holds them, and does not use them.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: a model with an adapted Normalization is built again from its JSON, and gets the weights of the first one. `get_weights`
#   then returns the adapted mean and variance, but the layer returns its inputs as they are: it computes with constants that `adapt`
#   and `load_weights` set, and `set_weights` does not. There is no error. `load_weights` of a file gives the right predictions.
# Seen: "adapted -1.22 0 1.22 | set_weights 1 3 5, with mean 3 | load_weights -1.22 0 1.22".
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

x = np.array([[1.0], [3.0], [5.0]], "float32")
layer = keras.layers.Normalization()
layer.adapt(x)
model = keras.Sequential([keras.Input((1,)), layer])
model.save_weights("adapted.weights.h5")
by_set, by_load = (keras.models.model_from_json(model.to_json()) for _ in range(2))
by_set.set_weights(model.get_weights())
by_load.load_weights("adapted.weights.h5")


def text(built):
    return " ".join(f"{value:.3g}" for value in built.predict(x, verbose=0).ravel())


mean = float(np.ravel(by_set.get_weights()[0])[0])
print(f"adapted {text(model)} | set_weights {text(by_set)}, with mean {mean:g} | load_weights {text(by_load)}")
is_so = text(by_set) == "1 3 5" and mean == 3 and text(by_load) == text(model) == "-1.22 0 1.22"
sys.exit(0 if is_so else 1)
PY
