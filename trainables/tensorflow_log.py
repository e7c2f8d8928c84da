"""TensorFlow's log on standard error, which is kept to errors."""

from __future__ import annotations

import os

QUIET_TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "2"}  # no information, no warnings
"""The variables that keep TensorFlow quiet in a process that inherits them."""


def quiet_tensorflow() -> None:
    """Keep TensorFlow's information and warnings off the screen, unless the user has chosen a level.

    TensorFlow reads the level when it is imported, so call this before anything imports it.
    """
    for name, value in QUIET_TENSORFLOW.items():
        os.environ.setdefault(name, value)
