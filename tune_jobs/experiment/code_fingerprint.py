"""Fingerprints of the source of a trainable, by which a resumed run notices that the code has changed."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from typing import Any


def code_fingerprints(trainable: type[Any]) -> dict[str, str]:
    """Return a digest of the source of each class that a trainable is made of, by the class's qualified name.

    ``KerasTrainable`` and its bases are left out. So are classes without a source file: those that were made in a
    notebook or an interpreter have nothing to compare with.

    Args:
        trainable: A subclass of KerasTrainable.
    """
    from trainables import KerasTrainable

    digests = {}
    for kind in trainable.__mro__[: trainable.__mro__.index(KerasTrainable)]:
        try:
            source = inspect.getsource(kind)
        except (OSError, TypeError):
            continue
        digests[kind.__qualname__] = hashlib.sha256(source.encode()).hexdigest()[:16]
    return digests


def code_differences(trainable: type[Any], record: Mapping[str, Any]) -> list[str]:
    """Return a sentence that names the classes whose source has changed since the run began; else nothing.

    Args:
        trainable: The trainable as it is today.
        record: The run's experiment.json.
    """
    then, now = record.get("code", {}), code_fingerprints(trainable)
    names = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    return [f"The code has changed: {', '.join(names)}."] if names else []
