"""The import of Ray in a driver, so that signals stay with the driver, and Ray's log messages with Ray."""

from __future__ import annotations

import logging
import sys
from typing import Any

from tune_jobs.host.environment import variables_set
from tune_jobs.host.signals import held_back

_NO_SIGNALS = {"RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1"}

_LOGGER = logging.getLogger("ray")

_Settings = tuple[int, bool, list[logging.Handler], list[Any]]
_AS_NEW: _Settings = (logging.NOTSET, True, [], [])

# What Ray's import has set in its logger, which the end of a run puts back with all surroundings; empty: not by us.
_OF_RAY: list[_Settings] = []


def import_ray() -> None:
    """Import Ray, which leaves SIGTERM to this process if nobody has imported it before.

    Otherwise Ray's C++ takes SIGTERM when it starts, in whatever thread, to print a stack first: it sets an alarm of
    3 s, after which the process is aborted (status 134), also if the signal was answered in good order meanwhile. Ray
    reads the variable when it is imported; workers do not inherit it. A signal waits for the end of the import.

    Ray sets its logger up when it is imported, and never again. A second run sets it up as Ray has, if it is as new:
    otherwise Ray's messages would reach the handlers of the person's own program.
    """
    is_new = "ray" not in sys.modules
    with held_back(), variables_set(_NO_SIGNALS):
        import ray  # noqa: F401
    if is_new:
        _OF_RAY.append(_settings())
    elif _OF_RAY and _settings() == _AS_NEW:
        level, _LOGGER.propagate, _LOGGER.handlers[:], _LOGGER.filters[:] = _OF_RAY[0]
        _LOGGER.setLevel(level)


def _settings() -> _Settings:
    return _LOGGER.level, _LOGGER.propagate, list(_LOGGER.handlers), list(_LOGGER.filters)
