"""The number of examples of a property test, which `make chance` multiplies."""

from __future__ import annotations

import os

from hypothesis import settings

TIMES = int(os.environ.get("EXAMPLES_TIMES", "1"))
USUAL = 100  # as many as hypothesis tries where nothing is said


def with_examples(count: int, **others: int) -> settings:
    """Return the settings of a property test that tries a number of examples.

    Args:
        count: How many examples ``make test`` tries.
        others: Further settings, e.g. ``stateful_step_count``.
    """
    return settings(max_examples=count * TIMES, **others)  # type: ignore[arg-type]  # hypothesis types each one apart
