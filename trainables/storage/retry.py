"""Trying again for about a minute: a disk that is full and a storage that has gone away often come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

DELAYS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""How long is waited before each further attempt: a minute in all."""

Result = TypeVar("Result")


def retry_for_a_minute(attempt: Callable[[], Result], sleep: Callable[[float], object] = time.sleep) -> Result:
    """Does something that the file system may refuse for a while.

    Args:
        attempt: What to do; it must be able to begin anew.
        sleep: Waits for so many seconds.

    Raises:
        OSError: The last attempt's.
    """
    for delay_s in DELAYS_S:
        try:
            return attempt()
        except OSError:
            sleep(delay_s)
    return attempt()
