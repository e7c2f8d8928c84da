"""The folder of a run's trials: a worker on a node that does not see it must not train for nothing."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path

from trainables.patience import patiently


def require(folder: str | None, sleep: Callable[[float], object] = time.sleep) -> None:
    """Returns when the folder is there, if there has to be one; it is given a minute to come back.

    Raises:
        FileNotFoundError: It is not.
    """

    def look() -> None:
        if folder is not None and not Path(folder).is_dir():
            raise FileNotFoundError(
                f"The node {platform.node()} does not see the run's folder {folder}: mount the storage there as on the "
                "other nodes, or take the node out of the cluster."
            )

    patiently(look, sleep)
