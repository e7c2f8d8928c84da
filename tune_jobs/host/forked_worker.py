"""The steps before the forks of workers, and those by which a fork becomes what a Python of its own would be."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import time
import types
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tune_jobs.base.gc_pause import gc_paused
from tune_jobs.host.fork_launcher import OOM_SCORE, Message

_HARMLESS_THREADS = frozenset({"jemalloc_bg_thd"})  # pyarrow's allocator stops it before a fork, by itself
_LEAVING_S = 1.0
_PR_SET_PDEATHSIG = 1
_TASKS = Path("/proc/self/task")


def end_with_the_driver() -> None:
    """Have the kernel end this process with the driver: it imports for seconds before it looks at its socket."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def become(request: Message, added: Mapping[str, str], base_path: Sequence[str]) -> types.CodeType:
    """Make this process what a Python would be that was started with a command line.

    Args:
        request: The request of the launcher.
        added: The variables that the imports have set.
        base_path: The folders in which Python finds modules, without those of PYTHONPATH.

    Returns:
        The script to execute.
    """
    content = request.content
    take_streams(request.descriptors)
    os.environ.clear()
    os.environ.update({**added, **content["environment"]})
    with suppress(OSError):
        os.chdir(content["folder"])
    with suppress(OSError):
        OOM_SCORE.write_text(content["oom_score"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, content["blocked"])
    seed_anew()
    script = content["arguments"][0]
    added_folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    sys.argv[:] = content["arguments"]
    sys.path[:] = list(dict.fromkeys([str(Path(script).parent), *added_folders, *base_path]))
    main = types.ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    return compile(Path(script).read_bytes(), script, "exec")


def take_streams(descriptors: Sequence[int]) -> None:
    """Make descriptors that were sent the standard streams of this process, and close them.

    Args:
        descriptors: Those of standard input, output and error.
    """
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)


def seed_anew() -> None:
    """Seed the global generators: all forks of a process would go on with its state."""
    for name in ("random", "numpy.random"):
        if name in sys.modules:
            sys.modules[name].seed()


def preload(modules: Iterable[str]) -> str | None:
    """Import what workers need, and return the reason why this process cannot be forked; None if it can be."""
    return import_all(modules) or prepared_for_forks()


def import_all(modules: Iterable[str]) -> str | None:
    """Import modules, and return the error if one cannot be imported."""
    from importlib import import_module

    try:
        with gc_paused():  # to look for cycles among what modules define takes a fifth of the time of the imports
            for module in modules:
                import_module(module)
    except Exception as error:  # noqa: BLE001 - a worker will meet it, and report it
        return f"{type(error).__name__}: {error}"
    return None


def prepared_for_forks() -> str | None:
    """Make this process cheap to fork, and return the reason why it cannot be forked; None if it can be."""
    if _other_threads():
        _fork_once()
    begun_s = time.monotonic()
    while others := _other_threads():
        if time.monotonic() - begun_s > _LEAVING_S:
            return f"The imports have started threads: {', '.join(others)}."
        time.sleep(0.01)  # a thread that Python has joined is still there for a moment
    gc.collect()
    gc.freeze()  # what is never written to stays the memory of all
    return None


def _other_threads() -> list[str]:
    names = set()
    for task in _TASKS.iterdir():
        with suppress(OSError):
            names.add((task / "comm").read_text().strip() if task.name != str(os.getpid()) else "")
    return sorted(names - _HARMLESS_THREADS - {""})


def _fork_once() -> None:
    """Fork a process that does nothing: OpenBLAS ends its threads before a fork, and starts them when it computes."""
    process = os.fork()
    if not process:
        os._exit(0)
    os.waitpid(process, 0)
