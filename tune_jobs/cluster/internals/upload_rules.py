"""Ray's own rules of which files of a working directory it sends to a cluster.

They buy the size of what is sent, with the largest folders, before anything is sent, and the news that the
experiment's own file is ignored. Ray reads .gitignore and .rayignore files on every level, in its own order.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tune_jobs.cluster.internals import private, unknown

_CONSTANTS = "ray._private.ray_constants"
_PACKAGING = "ray._private.runtime_env.packaging"


def visit_files_sent(folder: Path, excludes: Sequence[str], visit: Callable[[Path], object]) -> None:
    """Call a function with each path of a folder that Ray would send, files and folders, as they are found.

    Args:
        folder: The folder, resolved.
        excludes: Patterns, as in .gitignore, of what stays here besides what the folder's own files say.
        visit: The function. What it raises ends the visit.

    Raises:
        NotInThisRay: Ray's rules cannot be asked.
        OSError: A part of the folder cannot be read.
        RecursionError: The folder is nested too deeply.
    """
    ignores_gitignore, default_excludes = private(
        _CONSTANTS, "RAY_RUNTIME_ENV_IGNORE_GITIGNORE", "get_runtime_env_default_excludes"
    )
    travel, excluder = private(_PACKAGING, "_dir_travel", "_get_excludes")
    try:
        travel(
            folder,
            [excluder(folder, [*default_excludes(), *excludes])],
            visit,
            include_gitignore=os.environ.get(ignores_gitignore, "0") != "1",
            logger=_silent_logger(),
        )
    except (TypeError, AttributeError) as error:
        raise unknown(f"{_PACKAGING}: {error}") from error


def _silent_logger() -> logging.Logger:
    # The preflight tells what Ray would log here.
    logger = logging.Logger("upload")
    logger.disabled = True
    return logger
