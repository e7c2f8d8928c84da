"""The imports of a trial, made early in workers that have no trial yet."""

from __future__ import annotations

import os
from contextlib import suppress

# Ray sets this when it gives a worker to a trial of one CPU. The libraries below read it when they are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
with suppress(Exception):  # a trial will fail in the same way, and report it
    from trainables.internals.lazy_keras import import_keras

    import_keras()
    import trainables.training.executions
    import trainables.worker  # noqa: F401
