"""Where the official data sets are, on a machine that has them."""

import os
from pathlib import Path

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data"


def keras_home() -> Path | None:
    """A folder with Keras's cache of Fashion-MNIST."""
    candidates = [Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser(), BESIDE_THE_CHECKOUT / "keras_home"]
    return next((home for home in candidates if len([*home.glob("datasets/fashion-mnist/*-ubyte.gz")]) == 4), None)


def mnist_home() -> Path | None:
    """A folder with MNIST's four original files."""
    candidates = [Path(os.environ.get("MNIST_HOME", ".")), BESIDE_THE_CHECKOUT / "mnist"]
    return next((home for home in candidates if len([*home.glob("*-ubyte.gz")]) == 4), None)
