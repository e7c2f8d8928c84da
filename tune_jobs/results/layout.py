"""The names of the files in a run's folder, which stand here and nowhere else.

========================= =========================================== ========================================
name                      content                                     written by
========================= =========================================== ========================================
``experiment.json``       the request: experiment, seed, versions     ``engine.run_folder.create``
``journal.jsonl``         all events, one a line                      ``engine.run_folder.recorder``
``warm_start.jsonl``      events of other runs for the searcher       ``engine.run_folder.warm_start_file``
``trials/0007/``          a trial's checkpoints and its architecture  ``trainables.storage``
``trials/0007/error.txt`` the traceback of a trial that raised        ``engine.run_folder.recorder``
``evaluations/0007.json`` a trial's scores on the test set            ``results.evaluations``
``logs/ray.log``          output of Ray and TensorFlow during the run ``engine.driver``
``logs/evaluation.log``   the same during an evaluation or a refit    ``evaluation``
``lock``                  nothing: the working process holds a lock   ``engine.run_folder.working_folder``
``.lease``                the token of the lease on an object store   ``engine.run_folder.object_store_lease``
``lease.json``            the lease, in the object store only         ``engine.run_folder.object_store_lease``
========================= =========================================== ========================================

``trainables.storage.layout`` has the names below ``trials/0007/``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from trainables.storage.layout import TRIAL_PATTERN, trial_name

EXPERIMENT_FILE = "experiment.json"
JOURNAL_FILE = "journal.jsonl"
WARM_START_FILE = "warm_start.jsonl"
TRIALS_FOLDER = "trials"
ERROR_FILE = "error.txt"
EVALUATIONS_FOLDER = "evaluations"
EVALUATION_NAME_PATTERN = rf"{TRIAL_PATTERN}\.json"
LOGS_FOLDER = "logs"
RAY_LOG = f"{LOGS_FOLDER}/ray.log"
EVALUATION_LOG = f"{LOGS_FOLDER}/evaluation.log"
LOCK_FILE = "lock"
LEASE_TOKEN_FILE = ".lease"  # noqa: S105 - a name of a file
LEASE_FILE = "lease.json"


def trial_folder(run_folder: Path, trial: int) -> Path:
    """Return the folder of a trial's checkpoints."""
    return run_folder / TRIALS_FOLDER / trial_name(trial)


def error_file(run_folder: Path, trial: int) -> Path:
    """Return the file for the traceback of a trial."""
    return trial_folder(run_folder, trial) / ERROR_FILE


def evaluation_file(run_folder: Path, trial: int) -> Path:
    """Return the file for the scores of a trial on the test set."""
    return run_folder / EVALUATIONS_FOLDER / f"{trial_name(trial)}.json"


def journal_last(files: Iterable[Path]) -> list[Path]:
    """Return the files of a run in the order to copy them: the journal last, because it tells of the others."""
    return sorted(files, key=lambda path: (path.name == JOURNAL_FILE, path))
