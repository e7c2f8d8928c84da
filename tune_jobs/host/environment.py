"""Environment variables, for a while and for other processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_FORWARDED = ("KERAS_", "TF_", "XLA_", "JAX_")
_OF_TERRAFORM = ("TF_VAR_", "TF_TOKEN_", "TF_CLI_")  # whose secrets nobody is to see in a job
_OF_THIS_PROCESS = ("KERAS_HOME", "TF_CONFIG")  # a path of this host; which process of a distributed training it is


@contextmanager
def variables_set(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables, and puts back what was there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def forwarded(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the driver's environment its workers on other nodes must have, to compute as it does."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_FORWARDED) and not name.startswith(_OF_TERRAFORM) and name not in _OF_THIS_PROCESS
    }
