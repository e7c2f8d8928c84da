"""Prints runs as a parcel: ``python -m tune_jobs.cluster.jobs.pack``, a job on the head, when they are fetched."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainables.storage.checkpoint import DiskCheckpoints
from tune_jobs.cluster.jobs.parcel import ParcelError, check_size, pack
from tune_jobs.errors import RequestError
from tune_jobs.results.find import find_runs
from tune_jobs.results.layout import EVALUATIONS_FOLDER, TRIALS_FOLDER
from tune_jobs.results.run import Run

ERROR = "Error: "
_PATTERNS = ("*.json", "*.jsonl", f"{EVALUATIONS_FOLDER}/*.json", f"{TRIALS_FOLDER}/*/*")
_ATTEMPTS = 5


def files_of(run: Run, *, models: bool) -> dict[str, bytes]:
    """What is brought of a run, by its path within the storage; the run may go on meanwhile.

    Args:
        run: The run.
        models: Whether the newest checkpoint of each trial that has one comes, too.

    Raises:
        ParcelError: It is more than may be fetched.
    """
    found: dict[str, bytes] = {}
    for path in _plain_files(run.folder):
        _take(found, run.folder, [path])
    if models:
        for trial in sorted(run.folder.glob(f"{TRIALS_FOLDER}/*")):
            _take_newest(found, run.folder, trial)
    return found


def _plain_files(folder: Path) -> Iterator[Path]:
    for pattern in _PATTERNS:
        yield from sorted(path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith("."))


def _take_newest(found: dict[str, bytes], folder: Path, trial: Path) -> None:
    # Whoever trains replaces the two newest all the time: the one chosen may be gone when it is read.
    for _ in range(_ATTEMPTS):
        names = DiskCheckpoints(trial).names()
        if not names:
            return
        try:
            _take(found, folder, sorted((trial / names[0]).iterdir()))
        except FileNotFoundError:
            continue
        return


def _take(found: dict[str, bytes], folder: Path, paths: Sequence[Path]) -> None:
    contents = {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in paths}
    found |= contents
    check_size(found)  # at every step: before the memory of the head is full


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the runs of a name."""
    parser = argparse.ArgumentParser(prog="tune_jobs.cluster.jobs.pack", description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--storage", required=True)
    parser.add_argument("--models", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        files: dict[str, bytes] = {}
        for run in find_runs(asked.run, asked.storage):
            files |= files_of(run, models=asked.models)
        sys.stdout.write(f"\n{pack(files)}")
    except (RequestError, ParcelError, OSError) as error:
        sys.stdout.write(f"{ERROR}{' '.join(str(error).split())}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
