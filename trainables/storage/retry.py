"""Retries for about a minute: a disk that is full, or a storage that has gone away, often comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from trainables.storage.own_files import NotOurs

DELAYS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds to wait before each further attempt: a minute in all."""

Result = TypeVar("Result")


def retry_for_a_minute(attempt: Callable[[], Result], sleep: Callable[[float], object] = time.sleep) -> Result:
    """Return what ``attempt`` returns, and try it again while it raises OSError.

    Args:
        attempt: The work to do; it must be able to begin anew.
        sleep: Waits for so many seconds.

    Raises:
        OSError: The error of the last attempt, or of the first if a stranger's file or link is in the way.
    """
    for delay_s in DELAYS_S:
        try:
            return attempt()
        except NotOurs:  # it does not go away by itself
            raise
        except OSError:
            sleep(delay_s)
    return attempt()
