"""Plain Ray Tune's search, HyperOptSearch and ASHAScheduler, as a careful user writes it.

It is a class trainable with reused workers, one CPU and one thread each, and without checkpoints. One trial per core
runs at a time; without that limit its searcher proposes one at a time. The reduction factor is that of this project;
Ray's default, 4, leaves fewer rungs below nine epochs.
"""

from __future__ import annotations

from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.hyperopt import HyperOptSearch

from benchmarks import work
from benchmarks.goal import Goal
from benchmarks.mlp_space import BATCH_SIZES, DROPOUT, LAYERS, LEARNING_RATE, OPTIMIZERS, UNITS
from benchmarks.peers.ray_tune import Mlp

FACTOR = 3


class Search(Mlp):
    """The trainable of the proposed configurations."""

    def common_config(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the configuration of the common model."""
        return {**config, "units": [config[f"units_{layer}"] for layer in range(config["layers"])]}


class Watch(tune.Stopper):
    """A stopper that records every result in the driver, and ends the search."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Record a result. No single trial is stopped."""
        self._goal.record(result["val_accuracy"])
        return False

    def stop_all(self) -> bool:
        """Return True once the goal is reached."""
        return self._goal.reached


def main() -> None:
    """Search until the goal is reached."""
    order = work.read_order()
    goal = Goal(order)
    ray.init(num_cpus=order["cores"], include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    space = {
        "layers": tune.choice(list(LAYERS)),
        **{f"units_{layer}": tune.choice(list(UNITS)) for layer in range(LAYERS[-1])},
        "dropout": tune.choice(list(DROPOUT)),
        "optimizer": tune.choice(list(OPTIMIZERS)),
        "learning_rate": tune.loguniform(*LEARNING_RATE),
        "batch_size": tune.choice(list(BATCH_SIZES)),
    }
    tune.Tuner(
        tune.with_resources(tune.with_parameters(Search, order=order, data=work.load(order["data"])), {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(
            metric="val_accuracy",
            mode="max",
            search_alg=HyperOptSearch(random_state_seed=order["seed"]),
            scheduler=ASHAScheduler(max_t=order["epochs"], grace_period=1, reduction_factor=FACTOR),
            num_samples=-1,
            max_concurrent_trials=order["cores"],
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=order["folder"],
            stop=Watch(goal),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    ).fit()
    goal.write()


if __name__ == "__main__":
    main()
