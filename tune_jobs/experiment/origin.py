"""The origin of a run: the file of its experiment, and the mark that this user began the run on this machine with it.

A run's folder may come from anybody, and experiment.json may name any file. The file is run unasked only if the mark
shows that this user named it here before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tune_jobs.base.module_files import find_module_file
from tune_jobs.base.user_key import is_marked, mark

ORIGIN = "origin"


def origin_of(reference: str | None) -> str | None:
    """Return the mark that experiment.json has; None if no file is known, or no mark can be made.

    Args:
        reference: The reference of the experiment, which has just been loaded.
    """
    file = None if reference is None else file_of(reference)
    return None if reference is None or file is None else mark(_text(reference, file))


def is_begun_here(record: Mapping[str, Any]) -> bool:
    """Return whether this user began a run on this machine with the file that its experiment is loaded from today.

    Args:
        record: The run's experiment.json.
    """
    reference = record.get("reference")
    file = file_of(reference) if isinstance(reference, str) else None
    return file is not None and is_marked(_text(reference, file), record.get(ORIGIN))


def file_of(reference: str) -> str | None:
    """Return the absolute path of the file that a reference names; None if there is none. Nothing is imported.

    Args:
        reference: A reference such as ``/path/to/file.py:NAME`` or ``package.module:NAME``.
    """
    target, colon, name = reference.rpartition(":")
    target = target if colon and target and name.isidentifier() else reference
    try:
        if target.endswith(".py") or os.sep in target or Path(target).is_file():
            return str(Path(target).resolve()) if Path(target).is_file() else None
        origin = find_module_file(target, [str(Path.cwd())])
        return None if origin is None else str(Path(origin).resolve())
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, or a link that leads to itself
        return None


def _text(reference: object, file: str) -> str:
    return json.dumps([reference, file])
