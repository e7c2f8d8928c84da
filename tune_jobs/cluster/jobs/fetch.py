"""Brings the runs of a job here: from the object store that they lie in, or a second job prints them as a parcel.

What comes is put into the storage, each run whole or not at all.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trainables.storage.object_store import is_uri
from tune_jobs.cluster.jobs import entrypoint
from tune_jobs.cluster.jobs.pack import ERROR
from tune_jobs.cluster.jobs.parcel import ParcelError, packed_in, unpack
from tune_jobs.cluster.jobs.server import Server
from tune_jobs.errors import JobFailed, RequestError
from tune_jobs.results import object_store_runs
from tune_jobs.results.find import find_runs
from tune_jobs.results.journal.file import whole_lines
from tune_jobs.results.layout import EXPERIMENT_FILE, JOURNAL_FILE
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from tune_jobs.cluster.jobs.job import JobState

_ASK_EVERY_S = 0.5


def fetch(server: Server, state: JobState, storage: Path, *, models: bool) -> list[Run]:
    """The runs of a job, brought here: see ``Job.fetch``."""
    if is_uri(state.storage) and not state.storage.startswith("file:"):  # which would be a folder of this machine
        return _put_staged(lambda staged: _download(state, staged, models), state, storage)
    return put(_parcel(server, state, models), state, storage)


def _download(state: JobState, staged: Path, models: bool) -> None:
    for run in find_runs(state.run, state.storage):
        if run.remote is not None:
            object_store_runs.bring(run.remote, staged / run.name)
            if models:
                object_store_runs.bring_weights(run.remote, staged / run.name)


def _parcel(server: Server, state: JobState, models: bool) -> bytes:
    """The archive that a job on the head prints.

    Raises:
        JobFailed: It printed none.
    """
    arguments = [state.run, "--storage", state.storage, *(["--models"] if models else [])]
    packages = state.runtime_env.get("pip")  # this package may be among them
    job = server.jobs.submit_job(
        entrypoint=entrypoint.command_line("tune_jobs.cluster.jobs.pack", *arguments),
        runtime_env={"pip": packages} if packages else {},
        metadata={entrypoint.FETCHES: state.job},
    )
    while not server.jobs.get_job_status(job).is_terminal():
        time.sleep(_ASK_EVERY_S)
    text = server.jobs.get_job_logs(job)
    with suppress(RuntimeError):  # it only tidies up
        server.jobs.delete_job(job)
    try:
        return packed_in(text)
    except ParcelError as error:
        told = [line.removeprefix(ERROR) for line in text.splitlines() if line.startswith(ERROR)]
        last = (told or text.strip().splitlines() or [str(error)])[-1]
        raise JobFailed(f"The run {state.run} cannot be fetched from the cluster: {last}") from error


def put(packed: bytes, state: JobState, storage: Path) -> list[Run]:
    """Puts an archive's runs into a storage, each whole or not at all.

    Raises:
        RequestError: It is damaged, or the storage has something else of a run's name.
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
        raise RequestError(f"What the cluster sent is not taken: {error}. Fetch it again.") from error
    except OSError as error:
        raise RequestError(
            f"{storage} cannot be written ({error.strerror}): the run was not fetched. Choose another --storage."
        ) from error


def _put(state: JobState, storage: Path, staged: Path) -> list[Run]:
    runs = [Run(folder) for folder in sorted(staged.iterdir())]
    for run in runs:
        _point_here(run, state.reference)
        if problem := _clash(run, storage / run.name):
            raise RequestError(problem)
    return [_move(run.folder, storage / run.name) for run in runs]


def _point_here(run: Run, reference: str | None) -> None:
    """Has a run name its experiment as it was named where it was submitted: the head's path is none here."""
    if reference is not None:
        asked = {**run.experiment, "reference": reference}
        (run.folder / EXPERIMENT_FILE).write_text(json.dumps(asked, indent=2) + "\n", encoding="utf-8")


def _clash(fetched: Run, place: Path) -> str | None:
    """Why what was fetched cannot take a place."""
    if not place.exists():
        return None
    try:
        there = Run(place)
    except RequestError:
        there = None
    if there is None or there.experiment["created_s"] != fetched.experiment["created_s"]:
        return f"{place} is there already and is something else. Move it away, or choose another --storage."
    if not _journal(fetched.folder).startswith(_journal(place)):
        return (
            f"The run in {place} has gone on here, otherwise than on the cluster: what was fetched would take its "
            "place. Move it away, or choose another --storage."
        )
    return None


def _journal(folder: Path) -> bytes:
    """The whole lines of a journal."""
    with suppress(FileNotFoundError):
        return whole_lines((folder / JOURNAL_FILE).read_bytes())
    return b""


def _move(source: Path, place: Path) -> Run:
    if not place.exists():
        source.rename(place)
        return Run(place)
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    for path in _journal_last(files):
        target = place / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    return Run(place)


def _journal_last(files: Sequence[Path]) -> list[Path]:
    # So that the leaderboard never tells of what is not there yet.
    return sorted(files, key=lambda path: path.name == JOURNAL_FILE)
