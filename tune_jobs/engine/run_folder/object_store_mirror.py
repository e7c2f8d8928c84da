"""A run in an object store: the driver works in a folder of its machine, and a thread sends what changes there."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from trainables.storage.layout import CHECKPOINT_PATTERN, TRIAL_PATTERN, epoch_of, trial_name
from trainables.storage.object_store import ObjectStoreFolder, reason
from trainables.storage.object_store_checkpoints import ObjectStoreCheckpoints
from trainables.storage.retry import retry_for_a_minute
from tune_jobs.engine.run_folder.object_store_lease import Lease, LeaseLost
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.results import History, object_store_runs
from tune_jobs.results.layout import EXPERIMENT_FILE, JOURNAL_FILE, LEASE_FILE, TRIALS_FOLDER
from tune_jobs.results.run import Run

_CHECKPOINT = re.compile(f"{TRIAL_PATTERN}/{CHECKPOINT_PATTERN}/.+")
LEAST_PAUSE_S = 5.0
BYTES_PER_S = 2**20
_ROUND_S = 15.0  # a quarter of a lease


def pause_s(sent_bytes: int) -> float:
    """How long nothing is sent after so many bytes: files are sent whole, and a long journal must not fill the line."""
    return max(LEAST_PAUSE_S, sent_bytes / BYTES_PER_S)


class _Stopped(Exception):  # noqa: N818 - what happened
    pass


class Mirror:
    """Sends what has changed in a run's folder, and deletes weights that are no longer needed.

    A storage that refuses is given a minute. Then the mirror stops, and ``check`` tells why.

    Args:
        folder: The run's folder on this machine.
        remote: The run in the object store.
        lease: Held; the mirror renews it.
        sleep: Waits between the attempts of the last round.
        clock: Tells the seconds.

    Attributes:
        remote: The run in the object store.
    """

    def __init__(
        self,
        folder: Path,
        remote: ObjectStoreFolder,
        lease: Lease,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.remote = remote
        self._folder = folder
        self._lease = lease
        self._sleep, self._clock = sleep, clock
        self._sent: dict[str, tuple[int, int]] = {}
        self._due_s = clock()
        self._losers: set[int] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._work, name="mirror", daemon=True)

    @property
    def trials(self) -> str:
        """The URI of the folder of all trials, with the credentials, if there are any."""
        return (self.remote / TRIALS_FOLDER).uri

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def check(self) -> None:
        """Called before the run goes on.

        Raises:
            OSError: What it does is no longer brought to the object store.
        """
        if self._failure is not None:
            raise OSError(self._failure)

    def remove(self, trials: Sequence[int]) -> None:
        """Has the weights of trials deleted soon."""
        with self._lock:
            self._losers.update(trials)

    def close(self) -> None:
        """Sends what is left, and gives the lease back.

        Raises:
            OSError: It could not be sent.
        """
        self._stop.set()
        self._thread.join()
        self.check()
        self._due_s = self._clock()
        try:
            retry_for_a_minute(self.round, self._sleep)
            self._lease.release()
        except LeaseLost as lost:
            raise OSError(str(lost)) from lost

    def round(self) -> None:
        """Does what is due.

        Raises:
            OSError: The storage refuses.
            LeaseLost: The run is another's by now.
        """
        self._lease.renew()
        if self._clock() < self._due_s:
            return
        with self._lock:
            losers = sorted(self._losers)
        sent_bytes = sum(self._send(path) for path in self._changed())
        self._due_s = self._clock() + pause_s(sent_bytes)
        if losers:  # whose end the journal tells there by now
            self._remove_weights(losers)
            with self._lock:
                self._losers.difference_update(losers)

    def _work(self) -> None:
        try:
            while True:
                retry_for_a_minute(self.round, self._nap)
                self._nap(max(0.0, min(_ROUND_S, self._due_s - self._clock())))
        except _Stopped:
            pass  # the last round is another's
        except LeaseLost as lost:
            self._failure = str(lost)
        except OSError as error:
            self._failure = f"{self.remote} has taken nothing for a minute: {reason(error)}"

    def _nap(self, delay_s: float) -> None:
        if self._stop.wait(delay_s):
            raise _Stopped

    def _changed(self) -> list[Path]:
        """The files that are not there as they are here; the journal last, which tells of the others."""
        changed = [path for path in _files(self._folder) if self._sent.get(self._name(path)) != _version(path)]
        return sorted(changed, key=lambda path: (path.name == JOURNAL_FILE, path))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _send(self, path: Path) -> int:
        version = _version(path)  # before it is read: what is written meanwhile is sent again
        size = self.remote.send(self._name(path), path)
        self._sent[self._name(path)] = version
        return size

    def _remove_weights(self, losers: Sequence[int]) -> None:
        trials = self.remote / TRIALS_FOLDER
        there = {path.partition("/")[0] for path in trials.files()}
        for trial in losers:
            name = trial_name(trial)
            if name in there:
                ObjectStoreCheckpoints(trials / name).remove()


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@contextmanager
def mirrored(folder: Path, remote: ObjectStoreFolder | None) -> Iterator[Mirror | None]:
    """Keeps a run in an object store up to date, where it has one.

    Args:
        folder: The run's folder on this machine, locked. Where the object store has more of the run, it is brought.
        remote: The run in the object store; None: there is none.

    Raises:
        RequestError: Another driver works on it, or it cannot be read.
        JournalError: Its journal is damaged.
        RunFailed: What was done could not be brought there in the end; it is in the folder.
    """
    if remote is None:
        yield None
        return
    lease = Lease(remote, folder)
    try:
        lease.take()
    except OSError as error:
        raise RequestError(f"{remote} cannot be written ({reason(error)}): choose another --storage.") from error
    bring_newer(remote, folder)
    forget_unreported(remote, Run(folder).history())
    mirror = Mirror(folder, remote, lease)
    mirror.start()
    try:
        yield mirror
    except BaseException:
        with suppress(OSError):
            mirror.close()
        raise
    try:
        mirror.close()
    except OSError as error:
        raise RunFailed(
            f"The run is over, but not all of it is in {remote} ({reason(error)}). It is whole in {folder}: once the "
            "storage is back, resume the run on this machine, which sends the rest.",
            folder,
        ) from error


def discard(folder: Path, remote: ObjectStoreFolder | None) -> None:
    """Leaves nothing of a run that no process works on."""
    shutil.rmtree(folder)
    if remote is not None:
        with suppress(OSError):
            if remote.written_s(LEASE_FILE) is None:  # else another driver has begun it at the same moment
                remote.remove_folder()


def working_folder(run: Run) -> Path:
    """Where a driver works on a run: its folder, or, of one in an object store, a copy that is not read by others."""
    if run.remote is None:
        return run.folder.absolute()  # workers on other nodes have another current folder
    folder = object_store_runs.local_storage(run.remote.root, "run") / run.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def bring_newer(remote: ObjectStoreFolder, folder: Path) -> None:
    """Brings a run's files, unless its folder here has the same journal or a longer one.

    A driver that was killed has written more here than its mirror sent. Where another went on with the run since then,
    its journal is no beginning of the one that is here, and counts.

    Raises:
        RequestError: It cannot be read.
    """
    try:
        if not _is_ahead(folder, remote):
            object_store_runs.bring(remote, folder)
    except OSError as error:
        raise RequestError(f"{remote} cannot be read ({reason(error)}).") from error
    (folder / TRIALS_FOLDER).mkdir(exist_ok=True)


def forget_unreported(remote: ObjectStoreFolder, history: History) -> None:
    """Deletes checkpoints that are ahead of the journal, whose last seconds may be lost with the machine that wrote it.

    A trial would go on from epochs that nobody was told of; and one that the journal does not know is proposed anew,
    perhaps with another configuration. One epoch more than was reported is what a trial can tell again.

    Raises:
        RequestError: The object store refuses.
    """
    trials = remote / TRIALS_FOLDER
    try:
        found = {tuple(path.split("/")[:2]) for path in trials.files() if _CHECKPOINT.fullmatch(path)}
        for trial, name in sorted(found):
            known = history.trials.get(int(trial))
            if known is None or epoch_of(name) > max(known.epochs, default=0) + 1:
                (trials / trial).remove_folder(name)
    except OSError as error:
        raise RequestError(f"{trials} cannot be written ({reason(error)}).") from error


def _is_ahead(folder: Path, remote: ObjectStoreFolder) -> bool:
    """Whether a folder has all that the journal in the object store tells, of the same run."""
    try:
        mine, created_s = _begun(folder.joinpath(EXPERIMENT_FILE).read_bytes()), None
    except (FileNotFoundError, ValueError):
        return False
    try:
        created_s = _begun(remote.read(EXPERIMENT_FILE))
        theirs = remote.read(JOURNAL_FILE)
    except (FileNotFoundError, ValueError):
        return created_s in (None, mine)
    journal = folder / JOURNAL_FILE
    whole = theirs[: theirs.rfind(b"\n") + 1]
    return created_s == mine and (journal.read_bytes() if journal.exists() else b"").startswith(whole)


def _begun(experiment: bytes) -> object:
    return json.loads(experiment).get("created_s")


def _files(folder: Path) -> list[Path]:
    """What is mirrored of a run's folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in paths if object_store_runs.PLAIN.fullmatch(path.relative_to(folder).as_posix())]
