#!/usr/bin/env bash
# Keras on TensorFlow: `fit` takes SciPy's csr matrices, and no csc matrix; a generator may yield sparse batches, and a PyDataset may not.
#
# Versions: keras 3.15.1, tensorflow 2.21.0, scipy 1.17.1, Python 3.11.
# Surprise: a csr matrix trains, and the same numbers as a csc matrix end in an error about `from_value_rowids`. A generator may yield
#   pairs of a csr matrix and labels; a PyDataset that returns the same pairs ends in an error, too. Neither error says that `.tocsr()`
#   or a generator would do.
# Seen: "csr fits, csc InvalidArgumentError, generator fits, PyDataset InvalidArgumentError".
# Exit status: 0 while Keras behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "keras==3.15.1" "tensorflow==2.21.0" "scipy==1.17.1"
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES="" "$folder/venv/bin/python" - <<'PY' 2>/dev/null
import sys

import keras
import numpy as np
from scipy import sparse

dense = np.clip(np.random.default_rng(0).normal(size=(24, 4)), 0, None).astype("float32")
labels = (dense[:, 0] > 0.3).astype("int32")


def rows(index):
    chosen = slice(8 * index, 8 * index + 8)
    return sparse.csr_matrix(dense[chosen]), labels[chosen]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return rows(index)


def outcome(*data):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    try:
        model.fit(*data, verbose=0)
    except Exception as error:
        return type(error).__name__
    return "fits"


found = {
    "csr": outcome(sparse.csr_matrix(dense), labels),
    "csc": outcome(sparse.csc_matrix(dense), labels),
    "generator": outcome(rows(index) for index in range(3)),
    "PyDataset": outcome(Batches()),
}
print(", ".join(f"{name} {result}" for name, result in found.items()))
sys.exit(0 if [result == "fits" for result in found.values()] == [True, False, True, False] else 1)
PY
