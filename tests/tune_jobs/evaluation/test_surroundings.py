"""Evaluating, refitting and exporting leave a program as it was."""

from __future__ import annotations

import gc
import random
from pathlib import Path
from typing import Any

import keras
import pytest

from tests.support.surroundings import surroundings
from tests.support.trained_runs import Blobs, experiment_of, trained_run
from trainables import Data
from tune_jobs.evaluation.evaluate import evaluate
from tune_jobs.evaluation.export import export
from tune_jobs.evaluation.refit import refit
from tune_jobs.results.run import Run


class Seeding(Blobs):
    """A trainable that seeds everything, and that wants another precision."""

    def load_data(self) -> Data:
        random.seed(3)
        return super().load_data()

    def build_model(self, config: dict[str, Any]) -> Any:
        keras.utils.set_random_seed(3)
        keras.config.set_dtype_policy("mixed_bfloat16")
        return super().build_model(config)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    try:
        return trained_run(tmp_path_factory.mktemp("runs"), trainable=Seeding)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("work", ["evaluate", "refit", "export"])
def test_nothing_is_left_changed(run: Run, tmp_path: Path, work: str) -> None:
    gc.unfreeze()
    before = surroundings()
    experiment = experiment_of(Seeding)
    if work == "evaluate":
        evaluate(run, experiment)
    elif work == "refit":
        refit(run, experiment, tmp_path / "model.keras")
    else:
        export(run, experiment, tmp_path / "model.keras")
    assert surroundings() == before
