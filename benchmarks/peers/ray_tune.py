"""Plain Ray Tune: a class trainable, one CPU a trial, with `--reuse` the same worker for the next; no checkpoints."""

from __future__ import annotations

import sys
from typing import Any

import ray
from ray import tune

from benchmarks import work


class Mlp(tune.Trainable):
    """One step is one epoch."""

    def setup(self, config: dict[str, Any], asked: Any = None, data: Any = None) -> None:
        """Begins the first trial of a worker."""
        work.use_threads(1)
        self.asked, self.data = asked, data
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begins another trial in the same worker."""
        import keras

        keras.backend.clear_session(free_memory=False)
        self.chosen = self.in_common_words(new_config)
        self.model = work.build(self.chosen, work.INPUTS[self.asked["data"]])
        self.epoch = 0
        return True

    def in_common_words(self, config: dict[str, Any]) -> dict[str, Any]:
        """What the common model is made of."""
        configuration: dict[str, Any] = self.asked["configurations"][config["configuration"]]
        return configuration

    def step(self) -> dict[str, Any]:
        """Trains an epoch."""
        self.epoch += 1
        accuracy = work.fit(self.model, self.chosen, self.data, 1)
        return {"val_accuracy": accuracy, "done": self.epoch >= self.asked["epochs"]}


def main() -> None:
    """Runs the grid."""
    asked = work.arguments()
    ray.init(num_cpus=asked["cores"], include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(Mlp, asked=asked, data=work.load(asked["data"])), {"cpu": 1}),
        param_space={"configuration": tune.grid_search(list(range(len(asked["configurations"]))))},
        tune_config=tune.TuneConfig(metric="val_accuracy", mode="max", reuse_actors="--reuse" in sys.argv),
        run_config=tune.RunConfig(
            storage_path=asked["folder"],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    work.done([result.metrics["val_accuracy"] for result in tuner.fit()])


if __name__ == "__main__":
    main()
