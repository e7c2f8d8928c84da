"""Private names of Ray that help to check a submission or a launcher file before it costs time or money.

Without one of them (a new release of Ray may rename it), the check that needs it is left out, and a note says so.
Nothing is submitted or refused otherwise. Tests pin each name, and each way to go on without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class NotInThisRay(Exception):  # noqa: N818 - what is the matter, as a person says it
    """A private name that the installed Ray, or the one of a cluster, does not have as it is known here."""


def private(module: str, *names: str) -> list[Any]:
    """Return the values of private names of Ray.

    Args:
        module: The module that they are in.
        *names: The names.

    Raises:
        NotInThisRay: Ray has no such module, or no such name in it.
    """
    try:
        imported = import_module(module)
        return [getattr(imported, name) for name in names]
    except (ImportError, AttributeError) as error:
        raise unknown(f"{module}: {error}") from error


def unknown(reason: object) -> NotInThisRay:
    """Return the error that says which part of the installed Ray is not as it is known here."""
    import ray

    return NotInThisRay(f"Ray {ray.__version__} is not as tune-jobs knows it ({' '.join(str(reason).split())})")
