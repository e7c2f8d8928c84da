#!/usr/bin/env bash
# Keras on JAX: `keras.utils.set_random_seed` imports TensorFlow, if it is installed.
#
# Versions: keras 3.15.1, jax 0.10.2, tensorflow 2.21.0, Python 3.11.
# Surprise: with KERAS_BACKEND=jax, building and training a model leaves TensorFlow alone, and the one line that makes it reproducible
#   brings the whole of it: seconds of start and hundreds of MB, in every process. Without TensorFlow the line works just as well.
# Seen: "after training: False, after the seed: True".
# Exit status: 0 while Keras behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "keras==3.15.1" "jax==0.10.2" "tensorflow==2.21.0"
cd "$folder"
KERAS_BACKEND=jax JAX_PLATFORMS=cpu CUDA_VISIBLE_DEVICES="" TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PY' 2>/dev/null
import sys

import keras
import numpy as np

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
trained = "tensorflow" in sys.modules
keras.utils.set_random_seed(0)
seeded = "tensorflow" in sys.modules
print(f"after training: {trained}, after the seed: {seeded}")
sys.exit(0 if (trained, seeded) == (False, True) else 1)
PY
