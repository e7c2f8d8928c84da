"""Count of the modules that one reads to follow a run, and of those that one epoch's report passes in the driver.

A module is on the path if one of its functions is called; importing it, or making a dataclass, does not count. The run
is small and real: a local Ray, four trials of ``digits_mlp``, its leaderboard. The workers' part is one trial in this
process, with a checkpoint.

    python -m benchmarks.main_path --list
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

PACKAGES = ("search_spaces", "trainables", "tune_jobs")


class Trace:
    """A record of the modules whose functions are called.

    Attributes:
        modules: All of them.
        reports: The modules that each result from Ray passes before the driver is done with it.
    """

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.reports: list[frozenset[str]] = []
        self._report: tuple[FrameType, set[str]] | None = None

    @contextmanager
    def tracing(self) -> Iterator[None]:
        """Trace this thread and all threads that are started meanwhile."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (module := _module_of(frame)):
            if module not in self.modules and not _is_importing(frame):
                self.modules.add(module)
            if self._report is not None:
                self._report[1].add(module)
            elif _takes_a_result(frame):
                self._report = frame, {module}
        elif event == "return" and self._report is not None and frame is self._report[0]:
            self.reports.append(frozenset(self._report[1]))
            self._report = None


def _module_of(frame: FrameType) -> str | None:
    name: str = frame.f_globals.get("__name__", "")
    is_ours = name.split(".")[0] in PACKAGES and ".examples" not in name
    is_written = frame.f_code.co_flags & inspect.CO_OPTIMIZED and frame.f_code.co_filename != "<string>"
    return name if is_ours and is_written else None


def _is_importing(frame: FrameType) -> bool:
    """Return True if one of our modules calls the function while it is imported."""
    caller = frame.f_back
    while caller is not None:
        name: str = caller.f_globals.get("__name__", "")
        if caller.f_code.co_name == "<module>" and name.split(".")[0] in PACKAGES and ".examples" not in name:
            return True
        caller = caller.f_back
    return False


def _takes_a_result(frame: FrameType) -> bool:
    """Return True if foreign code calls one of our functions with a worker's report of an epoch."""
    if frame.f_back is None or _module_of(frame.f_back):
        return False
    result = frame.f_locals.get("result")
    return frame.f_code.co_name == "__call__" and isinstance(result, dict) and "metrics" in result


def _drive(folder: Path) -> None:
    import tune_jobs

    loaded = _load("digits_mlp")
    run = tune_jobs.run(loaded.override(trials=4, max_epochs=3), storage=folder, name="path")
    run.leaderboard()


def _work(folder: Path) -> None:
    from trainables import TrialSettings

    experiment = _load("digits_mlp")
    config = experiment.space.sample(np.random.default_rng(0))
    settings = TrialSettings("val_accuracy", "max", max_epochs=2, folder=str(folder))
    trial = experiment.trainable.standalone(config, settings=settings)
    while not trial.step().get("done"):
        pass
    trial.cleanup()


def _load(name: str) -> Any:
    from importlib import import_module

    return import_module(f"tune_jobs.examples.{name}").EXPERIMENT


def _traced(work: Callable[[Path], None]) -> Trace:
    trace = Trace()
    with tempfile.TemporaryDirectory() as folder, trace.tracing():
        work(Path(folder))
    return trace


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the names of the modules as well")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    driver, worker = _traced(_drive), _traced(_work)
    ((report, _),) = Counter(driver.reports).most_common(1)
    paths = {
        "a run": driver.modules | worker.modules,
        "in the driver": driver.modules,
        "in a worker": worker.modules,
        "an epoch's report in the driver": report,
    }
    for name, modules in paths.items():
        print(f"{len(modules):4} modules: {name}")
        if options.list:
            print("".join(f"       {module}\n" for module in sorted(modules)), end="")
    if options.json:
        options.json.write_text(json.dumps({name: sorted(modules) for name, modules in paths.items()}, indent=2))


if __name__ == "__main__":
    main()
