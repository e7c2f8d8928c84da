"""A trainable of ours is a trainable of Ray Tune's: its own Tuner can use it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray import tune

from search_spaces import Choice, Float, Int, SearchSpace
from trainables.examples.digits_mlp import DigitsMlp
from tune_jobs import ASHA, HyperOpt

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def plain_ray() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    ray.init(address="local", num_cpus=1, include_dashboard=False, _temp_dir=str(folder))
    yield folder
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_plain_tuner_trains_and_saves_it(plain_ray: Path) -> None:
    results = tune.Tuner(
        DigitsMlp,
        param_space={
            "units": [16],
            "dropout": 0.0,
            "optimizer": "adam",
            "learning_rate": tune.grid_search([0.001, 0.01]),
        },
        tune_config=tune.TuneConfig(metric="val_accuracy", mode="max", reuse_actors=True),
        run_config=tune.RunConfig(
            storage_path=str(plain_ray / "results"),
            stop={"training_iteration": 2},
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=True),
            verbose=0,
        ),
    ).fit()
    assert not results.errors
    best = results.get_best_result()
    assert best.config["learning_rate"] == 0.01
    assert best.metrics["epoch"] == 2
    assert {"arrays.npz", "state.json"} <= {path.name for path in Path(best.checkpoint.path).iterdir()}


def test_a_plain_tuner_takes_our_space_searcher_and_scheduler(plain_ray: Path) -> None:
    space = SearchSpace(
        layers=Int(1, 2),
        units=Choice(8, 16).per("layers"),
        dropout=Float(0.0, 0.5, step=0.25),
        optimizer=Choice("adam", "sgd"),
        learning_rate=Float(1e-4, 1e-1, log=True),
    )
    results = tune.Tuner(
        DigitsMlp,
        param_space=space.for_ray(),
        tune_config=tune.TuneConfig(
            metric="val_accuracy",
            mode="max",
            num_samples=6,
            search_alg=HyperOpt(startup_trials=2).for_ray(space, max_epochs=3),
            scheduler=ASHA().for_ray(max_epochs=3),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(storage_path=str(plain_ray / "results"), name="ours", verbose=0),
    ).fit()
    assert not results.errors
    assert len(results) == 6
    epochs = [one.metrics["training_iteration"] for one in results]
    assert max(epochs) == 3
    assert min(epochs) == 1
    restored = tune.Tuner.restore(str(plain_ray / "results" / "ours"), trainable=DigitsMlp)
    assert len(restored.get_results()) == 6
