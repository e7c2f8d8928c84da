#!/usr/bin/env bash
# Keras: RandomCrop leaves the size of its images as it is when it is called outside of training.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, Python 3.11.
# Surprise: the layer's page says that images are resized and cropped to the target at inference, and `compute_output_shape` says so
#   too. Called on a tensor with training=False, images of 16 x 16 come out as 16 x 16, and with training=True as 8 x 8. What follows in
#   a subclassed model gets two sizes of images.
# Seen: "crop to 8 x 8: promised 8 x 8, training 8 x 8, inference 16 x 16".
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

layer = keras.layers.RandomCrop(8, 8, seed=0)
images = np.zeros((2, 16, 16, 3), "float32")
promised = layer.compute_output_shape(images.shape)[1:3]
trained, inferred = (tuple(layer(images, training=training).shape[1:3]) for training in (True, False))
print("crop to 8 x 8: " + ", ".join(
    f"{name} {height} x {width}"
    for name, (height, width) in {"promised": promised, "training": trained, "inference": inferred}.items()
))
sys.exit(0 if (tuple(promised), trained, inferred) == ((8, 8), (8, 8), (16, 16)) else 1)
PY
