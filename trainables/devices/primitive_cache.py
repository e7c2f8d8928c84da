"""TensorFlow's cache of oneDNN's primitives, kept small in a worker that trains one architecture after another.

For each thread that computes, TensorFlow 2.21 keeps the last 1,024 primitives of oneDNN: one for each shape of a fused
matrix product, so for each layer and size of a batch. One takes 65 KB for a small dense network. A search over widths
fills the cache within 110 new architectures, and a worker grows from 380 to 450 MB. There is no setting for it.

Most of its places are therefore taken by the smallest primitives that there are, of transpositions (20 KB). They are
used again after some new architectures, so that TensorFlow drops those of former models instead. During a training they
are not used: a model that needs more places gets them. oneDNN has a cache of its own behind that one, which would keep
what TensorFlow drops. It has a public setting.
"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from typing import Any

ENVIRONMENT = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128"}
"""The environment that oneDNN reads at its first primitive. Its own cache keeps that number of them, not 1,024."""

_PLACES = 880
_NEW_MODELS = 4  # between two uses: 25 ms each, where a new model takes 800


class PrimitiveCache:
    """The cache of this process."""

    def __init__(self) -> None:
        self._new_models = 0
        self._transpose: Any = None

    def count_new_model(self) -> None:
        """Note that a model is trained whose steps are not compiled yet."""
        self._new_models += 1

    def keep_small(self) -> None:
        """Use the small primitives again, if enough new models were trained since. Call it between two trials."""
        if self._new_models < _NEW_MODELS:
            return
        self._new_models = 0
        if _is_used():
            with suppress(Exception):  # nothing but memory depends on it
                self._use()

    def _use(self) -> None:
        import tensorflow as tf

        if self._transpose is None:

            def transpose(places: Any) -> Any:
                def one(place: Any, total: Any) -> tuple[Any, Any]:
                    return place + 1, total + tf.transpose(tf.ones((2, place)))[0, 0]

                return tf.while_loop(lambda place, _: place < places, one, (2, 0.0), parallel_iterations=1)[1]

            self._transpose = tf.function(transpose, autograph=False, input_signature=[tf.TensorSpec((), tf.int32)])
        self._transpose(tf.constant(_PLACES + 2))


primitive_cache = PrimitiveCache()
"""The one of this process."""


def _is_used() -> bool:
    """Return whether TensorFlow computes with oneDNN here, in one thread: each has a cache of its own."""
    import keras

    if keras.backend.backend() != "tensorflow" or platform.machine() not in ("x86_64", "AMD64"):
        return False
    import tensorflow as tf

    is_on = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    is_one_thread = tf.config.threading.get_inter_op_parallelism_threads() == 1
    return is_on and is_one_thread and not tf.config.list_logical_devices("GPU")
