"""Random operations of TensorFlow that keep their state in a kernel, where no checkpoint can reach it.

Private name:

- ``tensorflow.python.framework.random_seed._graph_to_seed_dict``: has an entry for each graph that holds a random
  operation without a seed of its own.

What it buys: a trial with ``tf.random.normal`` in its model says that it cannot be continued exactly.

Without it: it does not say so.
"""

from __future__ import annotations

import weakref
from importlib import import_module
from typing import Any

import keras

_MODULE, _NAME = "tensorflow.python.framework.random_seed", "_graph_to_seed_dict"


def random_graphs() -> weakref.WeakSet[Any]:
    """Return the graphs with random operations that there are now; none where that cannot be told."""
    if keras.backend.backend() != "tensorflow":
        return weakref.WeakSet()
    try:
        return weakref.WeakSet(getattr(import_module(_MODULE), _NAME))
    except (AttributeError, ImportError, TypeError):
        return weakref.WeakSet()
