"""The places from which followed runs come: a folder, some runs, an object store, a job on a cluster."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from trainables.exits import message_of
from trainables.storage.object_store import is_uri
from tune_jobs.base.named_files import exists
from tune_jobs.errors import JobFailed, RequestError
from tune_jobs.report.live.followed_run import FollowedRun
from tune_jobs.results.find import find_runs, list_runs
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Run
from tune_jobs.views.text import clean

_LOOK_EVERY_S = 1.0
_COPY_EVERY_S = 5.0
_FETCH_EVERY_S = 15.0
_CLOSE_WITHIN_S = 5.0


class Runs:
    """The runs that are followed, by name.

    Args:
        find: Returns the runs that there are now.
        every_s: The time between two looks, in seconds.
        is_slow: Whether a look speaks to a network: then a thread looks, and nobody waits for it.
        folder: A folder of copies that is deleted in the end; None: there is none.

    Attributes:
        problem: Why the last look found nothing, as a sentence; "" if it did.
    """

    def __init__(
        self,
        find: Callable[[], Iterable[Run]],
        every_s: float = _LOOK_EVERY_S,
        *,
        is_slow: bool = False,
        folder: Path | None = None,
    ) -> None:
        self._find = find
        self._folder = folder
        self._every_s = every_s
        self._lock = threading.Lock()
        self._busy = threading.Lock()
        self._is_closed = False
        self._followed: dict[str, FollowedRun] = {}
        self._looked_s = -every_s
        self.problem = ""
        self._look()
        if is_slow:
            self._every_s = float("inf")
            threading.Thread(target=self._look_again, args=(every_s,), name="runs", daemon=True).start()

    def all(self) -> dict[str, FollowedRun]:
        """Return the runs that there are now, by name."""
        with self._lock:
            if time.monotonic() - self._looked_s >= self._every_s:
                self._look()
            return dict(self._followed)

    def close(self) -> None:
        """End the looks, and delete the copies."""
        self._is_closed = True
        if self._folder is not None:
            self._busy.acquire(timeout=_CLOSE_WITHIN_S)  # a look would make the folder again
            shutil.rmtree(self._folder, ignore_errors=True)

    def _look(self) -> None:
        self._looked_s = time.monotonic()
        try:
            runs = {clean(run.name): run for run in self._find()}
        except (RequestError, JobFailed) as error:
            self.problem = clean(error)
            return
        except Exception as error:  # noqa: BLE001 - a network and its libraries fail in many ways, and come back
            self.problem = f"The runs cannot be read at the moment ({clean(message_of(error)):.300})."
            return
        self.problem = ""
        self._followed = {name: self._followed.get(name) or FollowedRun(run) for name, run in runs.items()}

    def _look_again(self, every_s: float) -> None:
        while True:
            time.sleep(every_s)
            with self._busy:
                if self._is_closed:
                    return
                self._look()


def runs_named(reference: str | None, storage: Path | str) -> Runs:
    """Return the runs that a person names: a run, a group of repeats, or all runs of a storage.

    Args:
        reference: A run's name, folder or URI, or the folder or URI of a storage; None: all runs of the storage.
        storage: The storage in which names are looked up.

    Raises:
        RequestError: There is no such run, or the storage cannot be read.
    """
    if reference is None:
        return _of_storage(storage)
    if not is_uri(reference) and Path(reference).is_dir() and not exists(Path(reference) / EXPERIMENT_FILE):
        return _of_storage(Path(reference))
    try:
        found = find_runs(reference, storage)
    except RequestError:
        if is_uri(reference) and list_runs(reference):
            return _of_storage(reference)
        raise
    if any(run.remote is not None for run in found):
        return Runs(lambda: find_runs(reference, storage), _COPY_EVERY_S, is_slow=True)
    return Runs(lambda: _again(reference, storage, found))


def runs_of_job(job: str, address: str | None) -> Runs:
    """Return the runs of a job on a cluster; they are copied from there again and again, as by ``tune-jobs fetch``.

    After the end of the job they are copied once more.

    Args:
        job: The id of the job.
        address: The cluster's Jobs server.

    Raises:
        RequestError: There is no such job, or the server cannot be reached.
    """
    from tune_jobs.cluster.jobs.job import find_job

    found = find_job(job, address)
    folder = Path(tempfile.mkdtemp(prefix="tune-jobs-view-"))
    whole: list[Run] = []

    def fetch() -> list[Run]:
        if whole:
            return whole
        is_over = found.done()
        runs = found.fetch(folder, models=False)
        whole.extend(runs if is_over else [])
        return runs

    try:
        return Runs(fetch, _FETCH_EVERY_S, is_slow=True, folder=folder)
    except BaseException:  # Ctrl-C while the first copy comes
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _of_storage(storage: Path | str) -> Runs:
    if is_uri(storage):
        return Runs(lambda: list_runs(storage), _COPY_EVERY_S, is_slow=True)
    if not Path(storage).is_dir():
        raise RequestError(f"There is no folder {storage}: name a run, or the folder of runs.")
    return Runs(lambda: list_runs(storage))


def _again(reference: str, storage: Path | str, found: Sequence[Run]) -> Sequence[Run]:
    """Return the runs as they are now: a group of repeats grows, and a run may be replaced."""
    try:
        return find_runs(reference, storage)
    except RequestError:
        return found
