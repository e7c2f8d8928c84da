"""Sources that would fork the process which reads them. They are read by its threads, or by the process itself."""

from __future__ import annotations

import copy
import multiprocessing
from typing import Any

from trainables.data.kinds import Kind, kind_of

_WHY = "because a fork of a process with threads, which each worker is, may hang"


def without_forks(split: Any) -> Any:
    """Return a source that yields the same and forks no process for it. Anything else is returned as it is.

    A worker has threads of Ray and of TensorFlow. A lock that one of them holds at the moment of a fork stays locked in
    the child for ever: one of some five runs of a test hung so.

    Args:
        split: A split, or anything else.
    """
    kind = kind_of(split)
    if kind is Kind.PY_DATASET and split.use_multiprocessing:
        split = copy.copy(split)
        split.use_multiprocessing = False
    elif kind is Kind.LOADER and _forks(split):
        split = copy.copy(split)
        split.num_workers = split.timeout = 0
    return split


def fork_notes(train: Any, validation: Any) -> list[str]:
    """Return a sentence for each source whose batches are made without the processes that it asks for.

    Args:
        train: The training split.
        validation: The validation split; None where there is none.
    """
    lines = [_fork_note("Data.train", train), _fork_note("Data.validation", validation)]
    return [line for line in lines if line is not None]


def _fork_note(name: str, split: Any) -> str | None:
    split = getattr(split, "whole", split)  # of a share
    kind = kind_of(split)
    if kind is Kind.PY_DATASET and split.use_multiprocessing:
        threads = "a thread makes" if split.workers < 2 else f"{split.workers} threads make"
        several = "" if split.workers < 2 else " Several of them may call its __getitem__ at a time."
        return (
            f"{name} is {kind} with use_multiprocessing=True: {threads} its batches instead of processes, {_WHY}."
            f"{several}"
        )
    if kind is Kind.LOADER and _forks(split):
        return (
            f"{name} is {kind} with num_workers={split.num_workers}: the worker makes its batches by itself, "
            f'{_WHY}. With multiprocessing_context="forkserver" it gets its processes.'
        )
    return None


def _forks(loader: Any) -> bool:
    """Return whether a ``DataLoader`` of PyTorch forks processes when it is read."""
    context = loader.multiprocessing_context
    method = multiprocessing.get_start_method() if context is None else context.get_start_method()
    return bool(loader.num_workers) and method == "fork"
