"""A described model with a vocabulary is built, and its sizes are counted before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from tune_jobs.results.architecture.build import build_described
from tune_jobs.results.architecture.checks import DescriptionError

WORDS = ["red", "green", "blue"]


def model_with(lookup: Any, units: int = 2) -> Any:
    inputs = keras.Input((1,), dtype="string")
    return keras.Model(inputs, keras.layers.Dense(units)(lookup(inputs)))


@pytest.mark.parametrize(
    "options",
    [
        {"output_mode": "one_hot"},
        {"output_mode": "multi_hot", "num_oov_indices": 2, "mask_token": ""},
        {"output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True},
        {"output_mode": "tf_idf", "idf_weights": [1.0, 2.0, 3.0]},
    ],
)
def test_a_model_with_a_vocabulary_is_built_as_it_is_described(tmp_path: Path, options: dict[str, Any]) -> None:
    model = model_with(keras.layers.StringLookup(vocabulary=WORDS, **options))
    (tmp_path / "model.json").write_text(model.to_json())
    shapes = [tuple(weight.shape) for weight in model.weights]
    built = build_described(tmp_path / "model.json", shapes)
    assert [tuple(weight.shape) for weight in built.weights] == shapes
    lookup = next(layer for layer in built.layers if isinstance(layer, keras.layers.StringLookup))
    assert lookup.get_vocabulary(include_special_tokens=False) == WORDS
    with pytest.raises(DescriptionError, match="has the shape"):
        build_described(tmp_path / "model.json", [(shapes[0][0], 10**9), shapes[1]])
