"""The import of Ray in a driver, so that signals stay with the driver."""

from __future__ import annotations

from tune_jobs.host.environment import variables_set
from tune_jobs.host.signals import held_back

_NO_SIGNALS = {"RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1"}


def import_ray() -> None:
    """Import Ray, which leaves SIGTERM to this process if nobody has imported it before.

    Otherwise Ray's C++ takes SIGTERM when it starts, in whatever thread, to print a stack first: it sets an alarm of
    3 s, after which the process is aborted (status 134), also if the signal was answered in good order meanwhile. Ray
    reads the variable when it is imported; workers do not inherit it. A signal waits for the end of the import.
    """
    with held_back(), variables_set(_NO_SIGNALS):
        import ray  # noqa: F401
