"""The format of a file, and the version that wrote it: a newer format is refused, with the version that can read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any

FORMAT, VERSION = "format", "version"
_PACKAGE = "tune-jobs"
_LONGEST_VERSION = 40


class NewerFormatError(ValueError):
    """A file has a format that only a newer version can read. The message is a sentence without the file's name."""


@cache
def own_version() -> str:
    """Return the version of this package; "unknown" if it is not installed."""
    try:
        return version_of(_PACKAGE)
    except PackageNotFoundError:
        return "unknown"


def stamp(newest: int) -> dict[str, Any]:
    """Return what a file says about itself.

    Args:
        newest: The number of the format that is written.
    """
    return {FORMAT: newest, VERSION: own_version()}


def check_format(content: Mapping[str, Any], newest: int, version: object = None) -> None:
    """Do nothing if this version can read a file. A file of an older version, which had no number, can be read.

    Args:
        content: The file's content.
        newest: The number of the newest format that this version knows.
        version: The version that wrote the file, if it does not stand beside the format.

    Raises:
        NewerFormatError: The format is newer.
        ValueError: The format is no whole number from 1.
    """
    given = content.get(FORMAT, 1)
    if type(given) is not int or given < 1:
        raise ValueError(f"its format is {str(given)[:_LONGEST_VERSION]!r}, but must be a whole number from 1")
    if given <= newest:
        return
    writer = content.get(VERSION) if version is None else version
    reader = f"version {writer}" if _is_newer(writer) else f"a version newer than {own_version()}"
    raise NewerFormatError(
        f"It has format {str(given)[:_LONGEST_VERSION]}, but this version of tune-jobs ({own_version()}) reads formats "
        f"up to {newest}. To read it, install {reader} of tune-jobs."
    )


def _is_newer(version: object) -> bool:
    """Return whether a text is the number of a version that is newer than this one."""
    if not isinstance(version, str) or len(version) > _LONGEST_VERSION:
        return False
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*([a-z]+[0-9]*)?(\.(dev|post)[0-9]+)?", version):
        return False
    return _numbers(version) > _numbers(own_version())


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", version)]
