"""Fetching the runs of a job: from the object store that they lie in, or from a second job that prints them.

The runs are put into the storage here, each whole or not at all.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from trainables.storage.object_store import is_uri
from tune_jobs.base.named_files import read_file
from tune_jobs.cluster.jobs.entrypoint import command_line
from tune_jobs.cluster.jobs.pack import ERROR
from tune_jobs.cluster.jobs.parcel import ParcelError, packed_in, unpack
from tune_jobs.cluster.jobs.server import Server
from tune_jobs.cluster.jobs.state import FETCHES, JobState
from tune_jobs.errors import JobFailed, RequestError
from tune_jobs.experiment.origin import ORIGIN
from tune_jobs.results import object_store_runs
from tune_jobs.results.find import find_runs
from tune_jobs.results.journal.file import whole_lines
from tune_jobs.results.journal.reading import MOST_BYTES
from tune_jobs.results.layout import EXPERIMENT_FILE, JOURNAL_FILE, journal_last
from tune_jobs.results.run import Run

_ASK_EVERY_S = 0.5


def fetch(server: Server, state: JobState, storage: Path, *, models: bool) -> list[Run]:
    """Bring the runs of a job into a storage here: see ``Job.fetch``.

    Args:
        server: The cluster's Jobs server.
        state: The job.
        storage: The folder of the runs here.
        models: Whether to bring checkpoints, too.
    """
    if is_uri(state.storage) and not state.storage.startswith("file:"):  # that would be a folder of this machine
        return _put_staged(lambda staged: _download(state, staged, models), state, storage)
    return put(_parcel(server, state, models), state, storage)


def _download(state: JobState, staged: Path, models: bool) -> None:
    for run in find_runs(state.run, state.storage):
        if run.remote is not None:
            object_store_runs.bring(run.remote, staged / run.name)
            if models:
                object_store_runs.bring_weights(run.remote, staged / run.name)


def _parcel(server: Server, state: JobState, models: bool) -> bytes:
    """Return the archive that a job on the head prints.

    Raises:
        JobFailed: It printed none.
    """
    arguments = [state.run, "--storage", state.storage, *(["--models"] if models else [])]
    packages = state.runtime_env.get("pip")  # this package may be among them
    job = server.jobs.submit_job(
        entrypoint=command_line("tune_jobs.cluster.jobs.pack", *arguments),
        runtime_env={"pip": packages} if packages else {},
        metadata={FETCHES: state.job},
    )
    while not server.jobs.get_job_status(job).is_terminal():
        time.sleep(_ASK_EVERY_S)
    text = server.jobs.get_job_logs(job)
    with suppress(RuntimeError):  # it only tidies up
        server.jobs.delete_job(job)
    try:
        return packed_in(text)
    except ParcelError as error:
        errors = [line.removeprefix(ERROR) for line in text.splitlines() if line.startswith(ERROR)]
        last = (errors or text.strip().splitlines() or [str(error)])[-1]
        raise JobFailed(f"The run {state.run} cannot be fetched from the cluster: {last}") from error


def put(packed: bytes, state: JobState, storage: Path) -> list[Run]:
    """Put the runs of an archive into a storage, each whole or not at all.

    Args:
        packed: The archive, as a job printed it.
        state: The job that the runs belong to.
        storage: The folder of the runs here.

    Raises:
        RequestError: The archive is damaged, or the storage has something else of a run's name.
    """
    tops = re.compile(re.escape(state.run) + r"(-[0-9]{1,6})?")
    return _put_staged(lambda staged: unpack(packed, staged, tops), state, storage)


def _put_staged(bring: Callable[[Path], object], state: JobState, storage: Path) -> list[Run]:
    try:
        storage.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetched-", dir=storage) as staged:
            bring(Path(staged))
            return _put(state, storage, Path(staged))
    except ParcelError as error:
        raise RequestError(f"The cluster sent something that cannot be used: {error}. Fetch it again.") from error
    except OSError as error:
        raise RequestError(
            f"{storage} cannot be written ({error.strerror}): the run was not fetched. Choose another --storage."
        ) from error


def _put(state: JobState, storage: Path, staged: Path) -> list[Run]:
    runs = [Run(folder) for folder in sorted(staged.iterdir())]
    for run in runs:
        _name_experiment(run, state.reference, state.origin)
        if problem := _conflict(run, storage / run.name):
            raise RequestError(problem)
    return [_move(run.folder, storage / run.name) for run in runs]


def _name_experiment(run: Run, reference: str | None, origin: str | None) -> None:
    """Record the experiment's reference as the submitting machine knows it: the path on the head is not here."""
    if reference is not None:
        experiment = {**run.experiment, "reference": reference, ORIGIN: origin}
        (run.folder / EXPERIMENT_FILE).write_text(json.dumps(experiment, indent=2) + "\n", encoding="utf-8")


def _conflict(fetched: Run, folder: Path) -> str | None:
    """Return the reason why a run cannot be put into a folder; None: it can."""
    if not folder.exists():
        return None
    try:
        present = Run(folder)
    except RequestError:
        present = None
    if present is None or present.experiment["created_s"] != fetched.experiment["created_s"]:
        return f"{folder} exists already and is something else. Move it away, or choose another --storage."
    if not _goes_on_from(fetched.folder, folder):
        return (
            f"The run in {folder} has gone on here, in another way than on the cluster: what was fetched would replace "
            "it. Move it away, or choose another --storage."
        )
    return None


def _goes_on_from(fetched: Path, present: Path) -> bool:
    """Return whether the journal of a fetched run begins with that of a run here."""
    theirs = whole_lines((fetched / JOURNAL_FILE).read_bytes())
    try:
        # The last line here may be torn.
        return theirs.startswith(whole_lines(read_file(present / JOURNAL_FILE, len(theirs) + MOST_BYTES)))
    except FileNotFoundError:
        return True
    except OSError:  # it is longer, or no file
        return False


def _move(source: Path, target: Path) -> Run:
    if not target.exists():
        source.rename(target)
        return Run(target)
    for path in journal_last(path for path in source.rglob("*") if path.is_file()):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        path.replace(copy)
    return Run(target)
