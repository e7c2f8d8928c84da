"""The imports of a trial, made early in workers that have no trial yet."""

from __future__ import annotations

from contextlib import suppress

with suppress(Exception):  # a trial will fail in the same way, and report it
    import trainables.reuse.early_keras
    import trainables.training.executions
    import trainables.worker  # noqa: F401
