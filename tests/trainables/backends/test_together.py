"""Trials that are trained together by JAX have the results of trials alone: in a process of that backend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.trainables.backends.test_backends import needs
from tests.trainables.backends.test_jax import environment

LANES = Path(__file__).with_name("jax_lanes.py")


def run_lanes(folder: Path, *, only: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(LANES), "-k", only],
        env=environment(XDG_CACHE_HOME=str(folder)),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.parametrize("backend", [needs("jax")])
def test_lanes_train_as_trials_alone(backend: str, tmp_path: Path) -> None:
    result = run_lanes(tmp_path, only="small")
    assert "2 passed" in result.stdout, f"{backend}: {result.stdout[-3000:]} {result.stderr[-1000:]}"


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("backend", [needs("jax")])
def test_lanes_of_any_model_and_number_train_as_trials_alone(backend: str, tmp_path: Path) -> None:
    result = run_lanes(tmp_path, only="not small")
    assert "16 passed" in result.stdout, f"{backend}: {result.stdout[-3000:]} {result.stderr[-1000:]}"
