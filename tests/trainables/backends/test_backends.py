"""Keras on JAX and on PyTorch keeps the contract of a trainable; so does TensorFlow, in the same process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).with_name("contracts.py")
BACKENDS = ["tensorflow", "jax", "torch"]


def needs(backend: str) -> pytest.ParameterSet:
    is_missing = find_spec(backend) is None
    return pytest.param(backend, marks=pytest.mark.skipif(is_missing, reason=f"{backend} is not installed"))


def run_contracts(backend: str, *, only: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CONTRACTS), "-k", only],
        env={**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


# On JAX it runs in the process of test_jax.
@pytest.mark.parametrize("backend", [needs("torch")])
def test_a_dropout_without_a_seed_keeps_the_contract(backend: str) -> None:
    result = run_contracts(backend, only="TestDropout")
    assert "5 passed" in result.stdout, result.stdout[-3000:] + result.stderr[-1000:]


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("backend", map(needs, BACKENDS))
def test_optimizers_and_callbacks_keep_the_contract(backend: str) -> None:
    result = run_contracts(backend, only="TestOptimizers or TestCallbacks")
    assert "10 passed" in result.stdout, result.stdout[-3000:] + result.stderr[-1000:]
