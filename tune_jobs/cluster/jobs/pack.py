"""The job that prints runs as a parcel when they are fetched: ``python -m tune_jobs.cluster.jobs.pack`` on the head."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainables.storage.checkpoint import DiskCheckpoints
from tune_jobs.base.named_files import read_file
from tune_jobs.cluster.jobs.parcel import MOST_UNPACKED_BYTES, ParcelError, check_size, pack
from tune_jobs.errors import RequestError
from tune_jobs.results.find import find_runs
from tune_jobs.results.layout import EVALUATIONS_FOLDER, TRIALS_FOLDER
from tune_jobs.results.run import Run

ERROR = "Error: "
_PATTERNS = ("*.json", "*.jsonl", f"{EVALUATIONS_FOLDER}/*.json", f"{TRIALS_FOLDER}/*/*")
_ATTEMPTS = 5


def files_of(run: Run, *, models: bool) -> dict[str, bytes]:
    """Return the files of a run that are fetched, by their paths within the storage. The run may go on meanwhile.

    Args:
        run: The run.
        models: Whether to add the newest checkpoint of each trial that has one.

    Raises:
        ParcelError: They are more than may be fetched.
    """
    files: dict[str, bytes] = {}
    for path in _plain_files(run.folder):
        _add(files, run.folder, [path])
    if models:
        for trial in sorted(run.folder.glob(f"{TRIALS_FOLDER}/*")):
            _add_newest(files, run.folder, trial)
    return files


def _plain_files(folder: Path) -> Iterator[Path]:
    for pattern in _PATTERNS:
        yield from sorted(path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith("."))


def _add_newest(files: dict[str, bytes], folder: Path, trial: Path) -> None:
    # The process that trains replaces the two newest all the time: the one chosen may be gone when it is read.
    for _ in range(_ATTEMPTS):
        names = DiskCheckpoints(trial).names()
        if not names:
            return
        try:
            _add(files, folder, sorted((trial / names[0]).iterdir()))
        except FileNotFoundError:
            continue
        return


def _add(files: dict[str, bytes], folder: Path, paths: Sequence[Path]) -> None:
    contents = {path.relative_to(folder.parent).as_posix(): read_file(path, MOST_UNPACKED_BYTES) for path in paths}
    files |= contents
    check_size(files)  # at every step: before the memory of the head is full


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the runs of a name as a parcel, or one line that says what is wrong.

    Args:
        arguments: The arguments of the command; None: those of this process.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="tune_jobs.cluster.jobs.pack", description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--storage", required=True)
    parser.add_argument("--models", action="store_true")
    options = parser.parse_args(arguments)
    try:
        files: dict[str, bytes] = {}
        for run in find_runs(options.run, options.storage):
            files |= files_of(run, models=options.models)
        sys.stdout.write(f"\n{pack(files)}")
    except (RequestError, ParcelError, OSError) as error:
        sys.stdout.write(f"{ERROR}{' '.join(str(error).split())}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
