"""The record of a run, experiment.json, as it is read: its format and what every reader relies on are checked."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainables.storage.file_format import NewerFormatError, check_format
from tune_jobs.base.constraints import constrained
from tune_jobs.base.named_files import read_file
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import EXPERIMENT_FILE

EXPERIMENT_FORMAT = 1
MAX_EXPERIMENT_BYTES = 16 * 2**20


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of a run, as far as every reader needs it checked.

    Args:
        folder: The run's folder.

    Raises:
        RequestError: The folder is not that of a run, its record is damaged, or only a newer version can read it.
    """
    path = folder / EXPERIMENT_FILE
    try:
        record = json.loads(read_file(path, MAX_EXPERIMENT_BYTES).decode())
        check_format(record, EXPERIMENT_FORMAT, _version_of(record))
        is_sound = (
            isinstance(record["space"], dict)
            and not any(objective.problems() for objective in objectives_in(record))
            and isinstance(record["created_s"], int | float)
            and isinstance(record.get("experiment", ""), str)
        )
    except NewerFormatError as error:
        raise RequestError(f"{path} cannot be read. {error}") from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise RequestError(f"{path} is damaged ({error.strerror}): restore it from a copy.") from error
        raise RequestError(f"{folder} is no run's folder: {path.name} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RequestError(f"{path} is damaged ({error}): restore it from a copy.") from error
    if not is_sound:
        raise RequestError(f"{path} is damaged: restore it from a copy.")
    return dict(record)


def objectives_in(record: Mapping[str, Any]) -> tuple[Objective, ...]:
    """Return the objectives of a run, the first one with the constraints on what trials measure.

    Args:
        record: The run's experiment.json.

    Raises:
        ValueError, KeyError, TypeError: It is damaged.
    """
    names = [str(parameter["name"]) for parameter in record["space"].get("parameters", ())]
    first = constrained(Objective(**record["objective"]), record.get("constraints") or (), names)
    further = record.get("objectives") or ()
    return (first, *(Objective(**declared) for declared in further[1:]))


def _version_of(record: Mapping[str, Any]) -> object:
    versions = record.get("versions")
    return versions.get("tune-jobs", "") if isinstance(versions, dict) else ""
