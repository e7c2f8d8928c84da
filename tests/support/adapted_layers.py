"""The preprocessing layers of Keras that learn from ``adapt``, each with inputs to adapt it to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

layers = keras.layers

NUMBERS = np.random.default_rng(0).normal(5, 3, (32, 4)).astype("float32")
WHOLE = np.array([3, 7, 7, 9, 3, 3, 11, 5] * 4)[:, None]
WORDS = np.array(["red", "green", "blue", "red", "two\nlines", "tail ", "a\x85b", "grün"] * 4)[:, None]
MASK = "red"
TEXT = np.array([[f"the {word[0]} cat sat"] for word in WORDS])
IMAGES = np.random.default_rng(1).uniform(0, 255, (4, 16, 16, 3)).astype("float32")
SOUND = np.random.default_rng(2).normal(size=(4, 2000)).astype("float32")

ADAPTED: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "Normalization": (layers.Normalization, NUMBERS),
    "Normalization(invert)": (lambda: layers.Normalization(invert=True), NUMBERS),
    "Normalization(axis=None)": (lambda: layers.Normalization(axis=None), NUMBERS),
    "Discretization": (lambda: layers.Discretization(num_bins=4), NUMBERS),
    "Discretization(multi_hot)": (lambda: layers.Discretization(num_bins=4, output_mode="multi_hot"), NUMBERS),
    "StringLookup": (layers.StringLookup, WORDS),
    "StringLookup(one_hot)": (lambda: layers.StringLookup(output_mode="one_hot"), WORDS),
    "StringLookup(tf_idf)": (lambda: layers.StringLookup(output_mode="tf_idf"), WORDS),
    "StringLookup(tf_idf, padded)": (
        lambda: layers.StringLookup(output_mode="tf_idf", max_tokens=20, pad_to_max_tokens=True),
        WORDS,
    ),
    "StringLookup(no OOV)": (lambda: layers.StringLookup(num_oov_indices=0), WORDS),
    "StringLookup(3 OOV, a mask)": (lambda: layers.StringLookup(num_oov_indices=3, mask_token=MASK), WORDS),
    "IntegerLookup": (layers.IntegerLookup, WHOLE),
    "IntegerLookup(2 OOV)": (lambda: layers.IntegerLookup(num_oov_indices=2, output_mode="multi_hot"), WHOLE),
    "IntegerLookup(tf_idf)": (lambda: layers.IntegerLookup(output_mode="tf_idf"), WHOLE),
    "IntegerLookup(a mask)": (lambda: layers.IntegerLookup(mask_token=3), WHOLE),
    "TextVectorization": (lambda: layers.TextVectorization(output_sequence_length=5), TEXT),
    "TextVectorization(tf_idf)": (
        lambda: layers.TextVectorization(output_mode="tf_idf", ngrams=2, max_tokens=30, pad_to_max_tokens=True),
        TEXT,
    ),
}
