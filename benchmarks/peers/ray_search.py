"""Plain Ray Tune's search, HyperOptSearch and ASHAScheduler, as a careful user writes it.

A class trainable whose workers go from trial to trial, one CPU and one thread each; as many trials side by side as
there are cores, without which its searcher proposes one at a time; no checkpoints. The reduction factor is this
project's; its own default, 4, leaves fewer rungs below nine epochs.
"""

from __future__ import annotations

from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.hyperopt import HyperOptSearch
from ray_tune import Mlp

from benchmarks import work
from benchmarks.goal import Goal
from benchmarks.mlp_space import BATCH_SIZES, DROPOUT, LAYERS, LEARNING_RATE, OPTIMIZERS, UNITS

FACTOR = 3


class Search(Mlp):
    """Trains what is proposed."""

    def in_common_words(self, config: dict[str, Any]) -> dict[str, Any]:
        """What the common model is made of."""
        return {**config, "units": [config[f"units_{layer}"] for layer in range(config["layers"])]}


class Watch(tune.Stopper):
    """Hears every result in the driver, and ends the search."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No trial by itself."""
        self._goal.hear(result["val_accuracy"])
        return False

    def stop_all(self) -> bool:
        """All of them when the goal is reached."""
        return self._goal.reached


def main() -> None:
    """Searches until the goal is reached."""
    asked = work.arguments()
    goal = Goal(asked)
    ray.init(num_cpus=asked["cores"], include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    space = {
        "layers": tune.choice(list(LAYERS)),
        **{f"units_{layer}": tune.choice(list(UNITS)) for layer in range(LAYERS[-1])},
        "dropout": tune.choice(list(DROPOUT)),
        "optimizer": tune.choice(list(OPTIMIZERS)),
        "learning_rate": tune.loguniform(*LEARNING_RATE),
        "batch_size": tune.choice(list(BATCH_SIZES)),
    }
    tune.Tuner(
        tune.with_resources(tune.with_parameters(Search, asked=asked, data=work.load(asked["data"])), {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(
            metric="val_accuracy",
            mode="max",
            search_alg=HyperOptSearch(random_state_seed=asked["seed"]),
            scheduler=ASHAScheduler(max_t=asked["epochs"], grace_period=1, reduction_factor=FACTOR),
            num_samples=-1,
            max_concurrent_trials=asked["cores"],
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=asked["folder"],
            stop=Watch(goal),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    ).fit()
    goal.tell()


if __name__ == "__main__":
    main()
