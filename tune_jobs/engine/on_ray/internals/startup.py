"""A lean start of Ray: it leaves out processes that a run does not use.

Names that are not documented (ray 2.60):

- ``ray._private.node.Node.start_monitor`` and ``start_api_server`` start the autoscaler and the dashboard's server;
  ``ray._private.utils.get_dashboard_dependency_error`` decides what the dashboard's agent does. Nobody asks them.
  Without these names Ray starts them: on 2 cores its start took 1.0 to 1.3 s longer, and 0.9 CPU seconds more.
- ``ray.init(_memory=, _temp_dir=)`` limit the memory that trials may ask for, and name Ray's folder. Without them Ray
  uses its own estimate, and its usual folder, which outlives the run.
- The logger ``ray._private.worker`` warns that Ray installs no handler for SIGTERM, which is intended. Without this
  name people see the warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

LOGGER = "ray._private.worker"
LEFT_OUT = ("start_monitor", "start_api_server")


@contextmanager
def unused_processes_left_out() -> Iterator[None]:
    """Leave out the autoscaler, the dashboard's server, and what the dashboard's agent does for it."""
    no_dashboard = ImportError("There is no dashboard to work for.")
    node = getattr(_module("ray._private.node"), "Node", SimpleNamespace())
    with (
        _replaced(node, **{name: lambda *_, **__: None for name in LEFT_OUT}),
        _replaced(_module("ray._private.utils"), get_dashboard_dependency_error=lambda: no_dashboard),
    ):
        yield


@contextmanager
def no_warning_about_signals() -> Iterator[None]:
    """Drop Ray's warning that it installs no handler for SIGTERM."""
    logger = logging.getLogger(LOGGER)

    def is_other(record: logging.LogRecord) -> bool:
        return "SIGTERM" not in record.getMessage()

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def init_local_ray(folder: Path, memory_bytes: int, **options: Any) -> None:
    """Start a Ray of this machine alone.

    Args:
        folder: The folder that Ray writes into, and has its sockets in.
        memory_bytes: The memory that trials may ask for.
        options: Documented arguments of ``ray.init``.
    """
    import ray

    private: dict[str, Any] = {"_memory": memory_bytes, "_temp_dir": str(folder)}
    try:
        ray.init(address="local", **options, **private)
    except RuntimeError as error:
        # Ray refuses names that it does not know before it starts anything.
        if "Unknown keyword" not in str(error):
            raise
        known = {name: value for name, value in private.items() if name not in str(error)}
        ray.init(address="local", **options, **known)


def _module(name: str) -> Any:
    """Return a module of Ray; an empty namespace if Ray no longer has it."""
    try:
        return import_module(name)
    except ImportError:
        return SimpleNamespace()


@contextmanager
def _replaced(owner: Any, **values: Any) -> Iterator[None]:
    """Replace attributes for a while. Attributes that do not exist are left alone."""
    with ExitStack() as undone:
        for name, value in values.items():
            if hasattr(owner, name):
                undone.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, value)
        yield
