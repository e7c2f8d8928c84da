"""The gradient of max pooling on JAX's CPU is that of JAX to the bit; ``jax_steps`` has the tests on JAX."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainables.backends.test_backends import needs
from tests.trainables.backends.test_jax import run_steps


@pytest.mark.parametrize("backend", [needs("jax")])
def test_the_name_is_there_and_without_it_jaxs_own_rule_stays(backend: str, tmp_path: Path) -> None:
    result = run_steps(tmp_path, only="pooling or convolution")
    assert "10 passed" in result.stdout, f"{backend}: {result.stdout[-3000:]} {result.stderr[-1000:]}"
