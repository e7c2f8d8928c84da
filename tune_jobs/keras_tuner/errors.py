"""The errors of a search, by KerasTuner's names."""

from __future__ import annotations


class FailedTrialError(Exception):
    """An error that a trial raises to say that its configuration cannot be used: it is a row, and not the end.

    Example:
        >>> import tune_jobs.keras_tuner as kt
        >>> raise kt.FailedTrialError("The model is too large.")
        Traceback (most recent call last):
        tune_jobs.keras_tuner.errors.FailedTrialError: The model is too large.
    """


class FatalError(Exception):
    """An error that ends the whole search."""


class FatalValueError(FatalError, ValueError):
    """A value that ends the whole search."""


class FatalTypeError(FatalError, TypeError):
    """A value of a wrong type that ends the whole search."""


class FatalRuntimeError(FatalError, RuntimeError):
    """A failure that ends the whole search."""


class NotSupported(NotImplementedError):  # noqa: N818 - what it says
    """A part of KerasTuner that is not here; the message says what to use instead."""
