"""First values on JAX are drawn by shared programs, and are those of Keras; ``jax_steps`` has the tests on JAX."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.trainables.backends.test_backends import needs
from tests.trainables.backends.test_jax import run_steps
from trainables.internals.jax_variables import shared_programs


@pytest.mark.parametrize("backend", [needs("jax")])
def test_the_names_are_there_and_without_them_each_shape_is_compiled(backend: str, tmp_path: Path) -> None:
    result = run_steps(tmp_path, only="shapes_share or without_the_names")
    assert "2 passed" in result.stdout, f"{backend}: {result.stdout[-3000:]} {result.stderr[-1000:]}"


def test_another_backend_draws_by_itself() -> None:
    draw = keras.initializers.GlorotUniform(seed=3)
    with shared_programs():
        drawn = np.array(draw((3, 4)))
    np.testing.assert_array_equal(drawn, np.array(draw((3, 4))))
