"""A Ray that is kept warm for the tests that do not mind whose Ray trains their trials."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

MINUTES = 30.0


@dataclass(frozen=True)
class SharedRay:
    """A warm Ray under a name that no other process knows.

    Attributes:
        variables: The variables by which the runs of this process and of its children find it, and may use it: its
            name, and those of Ray with which it was started.
    """

    variables: Mapping[str, str]

    def set(self, patch: pytest.MonkeyPatch) -> None:
        """Let runs use it from now on. A Ray of this process leaves variables behind, with which they would not."""
        for name in [name for name in os.environ if name.startswith("RAY_") and name not in self.variables]:
            patch.delenv(name)
        for name, value in self.variables.items():
            patch.setenv(name, value)


@contextmanager
def shared_ray() -> Iterator[SharedRay]:
    """Keep a Ray warm."""
    # Every test session imports this module, and few start a Ray.
    from tune_jobs.engine.on_ray.session import token_variables
    from tune_jobs.engine.on_ray.warm import client
    from tune_jobs.engine.on_ray.warm.begin import begin_for_user, stop_for_user
    from tune_jobs.host.environment import variables_set

    name = {client.VARIABLE: secrets.token_hex(8)}
    of_ray = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    with variables_set({**name, **token_variables(os.environ)}):
        begin_for_user(MINUTES)
    try:
        yield SharedRay({**name, **of_ray})
    finally:
        with variables_set(name):
            stop_for_user()
