#!/usr/bin/env bash
# Keras: a StringLookup that has learnt a text of two lines is another one after saving and loading.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: `save` writes the vocabulary of an adapted lookup into a text file, one entry a line, and does not mark line breaks within
#   an entry. After loading, an entry of two lines has become two entries, and the text is out of the vocabulary. Neither `save` nor
#   `load_model` says so. Fields of tables and short messages hold line breaks now and then.
# Seen: "index of the text: 2 before, 0 after; entries: 3 before, 4 after".
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
import tensorflow as tf

text = "12 Long Street\nSmalltown"
layer = keras.layers.StringLookup()
layer.adapt(np.array([text, "elsewhere", "elsewhere"]))
model = keras.Sequential([keras.Input((1,), dtype="string"), layer])
model.save("lookup.keras")
loaded = keras.models.load_model("lookup.keras")
before, after = (int(each(tf.constant([[text]]))[0, 0]) for each in (model, loaded))
sizes = [each.layers[-1].vocabulary_size() for each in (model, loaded)]
print(f"index of the text: {before} before, {after} after; entries: {sizes[0]} before, {sizes[1]} after")
sys.exit(0 if (before, after, *sizes) == (2, 0, 3, 4) else 1)
PY
