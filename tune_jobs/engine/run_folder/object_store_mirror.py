"""The mirror of a run in an object store: a thread that sends what changes in the driver's folder."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from trainables.storage.layout import CHECKPOINT_PATTERN, TRIAL_PATTERN, epoch_of, trial_name
from trainables.storage.object_store import ObjectStoreFolder, reason
from trainables.storage.object_store_checkpoints import ObjectStoreCheckpoints
from trainables.storage.retry import retry_for_a_minute
from tune_jobs.base.named_files import beginning, read_file
from tune_jobs.engine.run_folder.object_store_lease import Lease, LeaseLost
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.results import History
from tune_jobs.results.journal.file import whole_lines
from tune_jobs.results.layout import EXPERIMENT_FILE, JOURNAL_FILE, LEASE_FILE, TRIALS_FOLDER, journal_last
from tune_jobs.results.object_store_runs import PLAIN, bring
from tune_jobs.results.record_file import MAX_EXPERIMENT_BYTES
from tune_jobs.results.run import Run

_CHECKPOINT = re.compile(f"{TRIAL_PATTERN}/{CHECKPOINT_PATTERN}/.+")
MIN_PAUSE_S = 5.0
MAX_BYTES_PER_S = 2**20
_ROUND_S = 15.0  # a quarter of a lease
_LOG = logging.getLogger(__name__)


def pause_s(sent_bytes: int) -> float:
    """Return the pause after so many bytes. Files are sent whole, and a long journal must not fill the line."""
    return max(MIN_PAUSE_S, sent_bytes / MAX_BYTES_PER_S)


class _Stopped(Exception):  # noqa: N818 - an event, not an error
    pass


class Mirror:
    """The sender of what has changed in a run's folder. It also deletes weights that are no longer needed.

    A storage that refuses is given a minute. Then the mirror stops, and ``check`` raises.

    Args:
        folder: The run's folder on this machine.
        remote: The run in the object store.
        lease: The lease on the run, already taken. The mirror renews it.
        sleep: Waits, in seconds, between the attempts of the last round.
        clock: Returns the time in seconds.
        stop: The event that ends the thread. Until it is set, its ``wait`` is the pause between rounds.

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
        stop: threading.Event | None = None,
    ) -> None:
        self.remote = remote
        self._folder, self._lease = folder, lease
        self._sleep, self._clock = sleep, clock
        self._sent: dict[str, tuple[int, int]] = {}
        self._due_s = clock()
        self._weights_to_remove: set[int] = set()
        self._lock = threading.Lock()
        self._stop = stop or threading.Event()
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._work, name="mirror", daemon=True)

    @property
    def trials(self) -> str:
        """The URI of the folder of all trials, with the credentials, if there are any."""
        return (self.remote / TRIALS_FOLDER).uri

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def check(self) -> None:
        """Raise if the thread has given up. The run must not go on then.

        Raises:
            OSError: The run no longer reaches the object store.
        """
        if self._failure is not None:
            raise OSError(self._failure)

    def remove(self, trials: Sequence[int]) -> None:
        """Delete the weights of trials in one of the next rounds."""
        with self._lock:
            self._weights_to_remove.update(trials)

    def close(self) -> None:
        """Send everything that is left, and release the lease.

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
        """Renew the lease; if the pause is over, send what has changed and delete weights.

        Raises:
            OSError: The storage refuses.
            LeaseLost: Another driver has taken over the run.
        """
        self._lease.renew()
        if self._clock() < self._due_s:
            return
        with self._lock:
            trials = sorted(self._weights_to_remove)
        sent_bytes = sum(self._send(path) for path in self._changed())
        self._due_s = self._clock() + pause_s(sent_bytes)
        if trials:  # only now does the journal in the object store have the ends of these trials
            self._remove_weights(trials)
            with self._lock:
                self._weights_to_remove.difference_update(trials)

    def _work(self) -> None:
        try:
            while True:
                retry_for_a_minute(self.round, self._nap)
                self._nap(max(0.0, min(_ROUND_S, self._due_s - self._clock())))
        except _Stopped:
            pass  # ``close`` does the last round
        except LeaseLost as lost:
            self._failure = str(lost)
        except OSError as error:
            self._failure = f"{self.remote} has taken nothing for a minute: {reason(error)}"

    def _nap(self, delay_s: float) -> None:
        if self._stop.wait(delay_s):
            raise _Stopped

    def _changed(self) -> list[Path]:
        """Return the files that have changed since they were sent.

        The journal comes last, so that it never tells of files that are not there yet.
        """
        changed = [path for path in _files(self._folder) if self._sent.get(self._name(path)) != _version(path)]
        return journal_last(changed)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _send(self, path: Path) -> int:
        name, version = self._name(path), _version(path)  # before the file is read: written meanwhile, it is sent again
        size = self.remote.send(name, path)
        self._sent[name] = version
        _LOG.info("Sent %s (%d bytes) to %s", name, size, self.remote)
        return size

    def _remove_weights(self, trials: Sequence[int]) -> None:
        folder = self.remote / TRIALS_FOLDER
        existing = {path.partition("/")[0] for path in folder.files()}
        for trial in trials:
            name = trial_name(trial)
            if name in existing:
                ObjectStoreCheckpoints(folder / name).remove()


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@contextmanager
def mirrored(folder: Path, remote: ObjectStoreFolder) -> Iterator[Mirror]:
    """Keep a run in an object store up to date.

    Args:
        folder: The run's folder on this machine, locked. If the object store has more of the run, that is copied here
            first.
        remote: The run in the object store.

    Raises:
        RequestError: Another driver works on the run, or the object store cannot be read.
        JournalError: The journal in the object store is damaged.
        RunFailed: In the end, not everything could be sent to the object store; all of it is in the folder.
    """
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


def discard_remote(remote: ObjectStoreFolder) -> None:
    """Delete a run in an object store, unless another driver has begun it at the same moment."""
    with suppress(OSError):
        if remote.written_s(LEASE_FILE) is None:
            remote.remove_folder()


def bring_newer(remote: ObjectStoreFolder, folder: Path) -> None:
    """Copy a run's files into its folder here, unless the journal in the folder is the same or a longer one.

    A driver that was killed has written more here than its mirror sent. If another driver has gone on with the run
    since then, the journal in the object store is not the beginning of the one here, and counts.

    Args:
        remote: The run in the object store.
        folder: The run's folder on this machine.

    Raises:
        RequestError: The object store cannot be read.
    """
    try:
        if not _is_ahead(folder, remote):
            bring(remote, folder)
    except OSError as error:
        raise RequestError(f"{remote} cannot be read ({reason(error)}).") from error
    (folder / TRIALS_FOLDER).mkdir(exist_ok=True)


def forget_unreported(remote: ObjectStoreFolder, history: History) -> None:
    """Delete the checkpoints that are ahead of the journal.

    The last seconds of a journal may be lost with the machine that wrote it. Without this, a trial would go on after
    epochs that were never reported; and a trial that the journal does not know is proposed again, perhaps with another
    configuration. One epoch more than was reported is fine: the trial reports it again.

    Args:
        remote: The run in the object store.
        history: The history that its journal tells.

    Raises:
        RequestError: The object store refuses.
    """
    trials = remote / TRIALS_FOLDER
    try:
        checkpoints = {tuple(path.split("/")[:2]) for path in trials.files() if _CHECKPOINT.fullmatch(path)}
        for trial, checkpoint in sorted(checkpoints):
            known = history.trials.get(int(trial))
            if known is None or epoch_of(checkpoint) > max(known.epochs, default=0) + 1:
                (trials / trial).remove_folder(checkpoint)
    except OSError as error:
        raise RequestError(f"{trials} cannot be written ({reason(error)}).") from error


def _is_ahead(folder: Path, remote: ObjectStoreFolder) -> bool:
    """Return whether a folder is of the same run as the object store, with all that the journal there tells."""
    try:
        created_s, remote_created_s = _created_s(read_file(folder / EXPERIMENT_FILE, MAX_EXPERIMENT_BYTES)), None
    except (OSError, ValueError):
        return False
    try:
        remote_created_s = _created_s(remote.read(EXPERIMENT_FILE))
        remote_journal = remote.read(JOURNAL_FILE)
    except (FileNotFoundError, ValueError):
        return remote_created_s in (None, created_s)
    whole, journal = whole_lines(remote_journal), folder / JOURNAL_FILE
    return remote_created_s == created_s and beginning(journal, len(whole)) == whole


def _created_s(experiment: bytes) -> object:
    return json.loads(experiment).get("created_s")


def _files(folder: Path) -> list[Path]:
    """Return the files of a run's folder that are mirrored."""
    return [path for path in folder.rglob("*") if path.is_file() and PLAIN.fullmatch(str(path.relative_to(folder)))]
