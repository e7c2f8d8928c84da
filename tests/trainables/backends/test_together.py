"""Trials that are trained together by JAX have the results of trials alone: in a process of that backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainables.backends.test_backends import needs
from tests.trainables.backends.test_jax import run_tests

LANES = Path(__file__).with_name("jax_lanes.py")


@pytest.mark.parametrize("backend", [needs("jax")])
def test_lanes_train_as_trials_alone(backend: str, tmp_path: Path) -> None:
    result = run_tests(tmp_path, LANES, only="small")
    assert "3 passed" in result.stdout, f"{backend}: {result.stdout[-3000:]} {result.stderr[-1000:]}"


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("backend", [needs("jax")])
def test_lanes_of_any_model_and_number_train_as_trials_alone(backend: str, tmp_path: Path) -> None:
    result = run_tests(tmp_path, LANES, only="not small")
    assert "16 passed" in result.stdout, f"{backend}: {result.stdout[-3000:]} {result.stderr[-1000:]}"
