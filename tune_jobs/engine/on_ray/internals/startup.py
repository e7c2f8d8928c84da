"""A lean start of Ray: it leaves out processes that a run does not use.

Names that are not documented (ray 2.60):

- ``ray._private.node.Node.start_monitor`` and ``start_api_server`` start the autoscaler and the dashboard's server;
  ``ray._private.utils.get_dashboard_dependency_error`` decides what the dashboard's agent does. Nobody asks them.
  Without these names Ray starts them: on 2 cores its start took 1.0 to 1.3 s longer, and 0.9 CPU seconds more.
- ``ray.init(_memory=, _temp_dir=)`` limit the memory that trials may ask for, and name Ray's folder. Without them Ray
  uses its own estimate, and its usual folder, which outlives the run.
- ``ray._private.services.sys`` is where Ray reads which Python its workers are started with. Without it they are not
  forked from a process that has imported Keras, and import it themselves.
- ``ray._raylet.Config.initialize`` lets Ray read its variables again: whether a Ray wants a token is read when Ray is
  imported. Without it a run does not use a warm Ray.
- The logger ``ray._private.worker`` warns that Ray installs no handler for SIGTERM, which is intended. Without this
  name people see the warning.
"""

from __future__ import annotations

import logging
import sys
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
def python_replaced(program: Path | None) -> Iterator[None]:
    """Let a Ray that starts in the block start its workers with another program than Python.

    Args:
        program: The program; None: Python.
    """
    services = _module("ray._private.services")
    if program is None or getattr(services, "sys", None) is not sys:
        yield
        return
    with _replaced(services, sys=_Python(str(program))):
        yield


def can_reread_variables() -> bool:
    """Return whether Ray can read its environment variables again."""
    return hasattr(getattr(_module("ray._raylet"), "Config", None), "initialize")


def reread_variables() -> None:
    """Let Ray read its environment variables again. It does so when it is imported, and when it starts a Ray."""
    _module("ray._raylet").Config.initialize("")


class _Python:
    """The module ``sys`` with the path of another executable.

    Args:
        executable: The path.
    """

    def __init__(self, executable: str) -> None:
        self.executable = executable

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


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
