"""The import of Keras in a worker, and in the process that workers are forked from, which imports no Ray.

Ray reads the job of a worker from a variable when Ray is imported (ray 2.60: ``RAY_JOB_ID``), and never again. And it
draws random numbers for its IDs while it is imported: workers that were forked after that would draw equal IDs. So it
is imported after the fork, which takes 0.3 of the 5 CPU s of a worker's imports.
"""

from __future__ import annotations

import os
from contextlib import suppress

# Ray sets this when it gives a worker to a trial of one CPU. The libraries below read it when they are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
with suppress(Exception):  # a trial will fail in the same way, and report it
    from trainables.internals.lazy_keras import import_keras

    import_keras()
