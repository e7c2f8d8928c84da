"""A run whose memory memory.py watches. It is started by its file, so that it runs another state of the code, too."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

order: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())


def build(config: dict[str, Any], features: int) -> Any:
    """Return the compiled model of a configuration."""
    import keras

    layers = [keras.layers.Dense(units, activation="relu") for units in config["units"]]
    begin = [keras.Input((features,))]
    if order["way"] == "turned":
        begin = [keras.Input((features // 10, 10)), keras.layers.Flatten()]
    model = keras.Sequential([*begin, *layers, keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def arrays(name: str, mmap_mode: Any = None) -> tuple[Any, Any]:
    """Return x and y of a split, from files."""
    import numpy as np

    folder = Path(order["data"])
    return np.load(folder / f"{name}_x.npy", mmap_mode=mmap_mode), np.load(folder / f"{name}_y.npy")


def load() -> Any:
    """Return the data, in the way that the order names."""
    from trainables import Data, split

    if order["way"] == "split":
        return Data(*split(*arrays("train"), 0.2), test=arrays("test"))
    mode = "r" if order["way"].startswith("mapped") else None
    splits = [arrays(name, mode) for name in ("train", "validation", "test")]
    if order["way"] == "turned":
        splits = [(x.reshape(len(x), 10, -1).transpose(0, 2, 1), y) for x, y in splits]
    return Data(*splits)


def run_bare() -> None:
    """Train the model with plain Keras on the order's examples."""
    import os

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras

    keras.utils.set_random_seed(0)
    x, y = arrays("train", "r")
    x, y = x[: order["bare_examples"]], y[: order["bare_examples"]]
    for units in order["units"]:
        model = build({"units": [units]}, x.shape[1])
        model.fit(x, y, batch_size=256, epochs=order["epochs"], validation_data=(x, y), verbose=0)


def unchanged(x: Any, y: Any, seed: Any) -> Any:
    """Return the batch as it is: the input has another pipeline where there is an augmentation."""
    return x, y


def run() -> None:
    """Make a run, or evaluate or refit the run before."""
    import tune_jobs
    from search_spaces import Choice, SearchSpace
    from trainables import FitOptions, KerasTrainable
    from tune_jobs import Experiment, Grid, NoScheduler, Objective

    class Dense(KerasTrainable):
        batch_size = 256

        def load_data(self) -> Any:
            return load()

        def build_model(self, config: dict[str, Any]) -> Any:
            return build({"units": [config["units"]]}, order["features"])

        def fit_options(self, config: dict[str, Any]) -> Any:
            if order["way"] == "weights":
                return FitOptions(class_weight={0: 2.0, 1: 0.5})
            return FitOptions(augment=unchanged) if order["way"] == "augment" else FitOptions()

    experiment = Experiment(
        trainable=Dense,
        space=SearchSpace(units=Choice(*order["units"])),
        objective=Objective("val_accuracy", "max"),
        searcher=Grid(),
        scheduler=NoScheduler(),
        max_epochs=order["epochs"],
        fraction=0.5 if order["way"] == "fraction" else 1.0,
        max_concurrent_trials=order["workers"],
    )
    folder = Path(order["folder"])
    if order["way"] == "evaluate":
        tune_jobs.evaluate(folder / "plain", experiment, force=True)
    elif order["way"] == "refit":
        tune_jobs.refit(folder / "plain", experiment, folder / "refitted.keras", force=True)
    else:
        tune_jobs.run(experiment, storage=str(folder), name=order["way"])


def grow() -> list[int]:
    """Train trials of two epochs one after another, as a worker does, and return its own memory after each of them."""
    import numpy as np

    from trainables import Data, KerasTrainable, TrialSettings

    generator = np.random.default_rng(0)

    class Digits(KerasTrainable):
        def load_data(self) -> Any:
            from sklearn.datasets import load_digits

            x, y = load_digits(return_X_y=True)
            x, y = (x / 16).astype("float32"), y.astype("int32")
            return Data((x[:1400], y[:1400]), (x[1400:], y[1400:]))

        def build_model(self, config: dict[str, Any]) -> Any:
            return build(config, 64)

    def configuration() -> dict[str, Any]:
        units = generator.choice(order["widths"], size=generator.integers(1, 4))
        return {"units": [int(width) for width in units], "batch_size": int(generator.choice([64, 128, 256]))}

    settings = TrialSettings("val_accuracy", "max", max_epochs=2, gpus=0)
    trainable = Digits.standalone(configuration(), settings=settings)
    own_bytes = []
    for _ in range(order["trials"]):
        trainable.step()
        if not trainable.step()["done"]:
            raise RuntimeError("A trial failed.")
        _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
        own_bytes.append((int(resident) - int(shared)) * 4096)
        trainable.reset_config(configuration())
    return own_bytes


if __name__ == "__main__":
    begun_s = time.monotonic()
    result = {"bare": run_bare, "growth": grow}.get(order["way"], run)()
    output = {"seconds": time.monotonic() - begun_s, "result": result}
    Path(sys.argv[1]).with_suffix(".out").write_text(json.dumps(output))
