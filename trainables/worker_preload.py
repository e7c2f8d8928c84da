"""Imports what every trial needs: for workers that have nothing to do yet."""

from __future__ import annotations

import os
from contextlib import suppress

# As Ray does when it gives a worker to a trial of one CPU, which is when the libraries would have been loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
with suppress(Exception):  # a trial will fail alike, and tell
    from trainables.internals.lazy_keras import import_keras

    import_keras()
    import trainables.keras_trainable
    import trainables.training.executions  # noqa: F401
