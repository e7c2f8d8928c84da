"""Plain Ray Tune: a class trainable, one CPU per trial, no checkpoints; with `--reuse` workers are reused."""

from __future__ import annotations

import sys
from typing import Any

import ray
from ray import tune

from benchmarks import work


class Mlp(tune.Trainable):
    """A trainable whose step is one epoch."""

    def setup(self, config: dict[str, Any], order: Any = None, data: Any = None) -> None:
        """Begin the first trial of a worker."""
        work.use_threads(1)
        self.order, self.data = order, data
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same worker."""
        import keras

        keras.backend.clear_session(free_memory=False)
        self.chosen = self.common_config(new_config)
        self.model = work.build(self.chosen, work.INPUTS[self.order["data"]])
        self.epoch = 0
        return True

    def common_config(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the configuration of the common model."""
        configuration: dict[str, Any] = self.order["configurations"][config["configuration"]]
        return configuration

    def step(self) -> dict[str, Any]:
        """Train one epoch."""
        self.epoch += 1
        accuracy = work.fit(self.model, self.chosen, self.data, 1)
        return {"val_accuracy": accuracy, "done": self.epoch >= self.order["epochs"]}


def main() -> None:
    """Run the grid."""
    order = work.read_order()
    ray.init(num_cpus=order["cores"], include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(Mlp, order=order, data=work.load(order["data"])), {"cpu": 1}),
        param_space={"configuration": tune.grid_search(list(range(len(order["configurations"]))))},
        tune_config=tune.TuneConfig(metric="val_accuracy", mode="max", reuse_actors="--reuse" in sys.argv),
        run_config=tune.RunConfig(
            storage_path=order["folder"],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    work.write_result([result.metrics["val_accuracy"] for result in tuner.fit()])


if __name__ == "__main__":
    main()
