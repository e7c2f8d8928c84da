"""The folders of the official data sets, on a machine that has them."""

from __future__ import annotations

import os
from pathlib import Path

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data"


def keras_home() -> Path | None:
    """Return a folder with Keras's cache of Fashion-MNIST, or None."""
    candidates = [Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser(), BESIDE_THE_CHECKOUT / "keras_home"]
    return next((home for home in candidates if len([*home.glob("datasets/fashion-mnist/*-ubyte.gz")]) == 4), None)


def mnist_home() -> Path | None:
    """Return a folder with MNIST's four original files, or None."""
    candidates = [Path(os.environ.get("MNIST_HOME", ".")), BESIDE_THE_CHECKOUT / "mnist"]
    return next((home for home in candidates if len([*home.glob("*-ubyte.gz")]) == 4), None)
