#!/usr/bin/env bash
# Keras: `get_config` of a subclass of Model returns the default of an argument, not the value that was given.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: a layer that takes `units` and has no `get_config` reports the value that it was made with. A model of the same form reports
#   the default of its signature. `from_config` then builds a model of another size, and nothing says so.
# Seen: "made with 5 units: a layer says 5, a model says 6; model from its config: 6 units".
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


class OwnLayer(keras.layers.Layer):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units)

    def call(self, x):
        return self.dense(x)


class OwnModel(keras.Model):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units)

    def call(self, x):
        return self.dense(x)


of_layer, of_model = OwnLayer(5).get_config()["units"], OwnModel(5).get_config()["units"]
again = OwnModel.from_config(OwnModel(5).get_config())(np.ones((1, 2), "float32")).shape[-1]
print(f"made with 5 units: a layer says {of_layer}, a model says {of_model}; model from its config: {again} units")
sys.exit(0 if (of_layer, of_model, again) == (5, 6, 6) else 1)
PY
