"""The files with scores on the test set: written into the run's folder, and checked like its journal when read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.storage.file_format import NewerFormatError, check_format, stamp
from trainables.storage.own_files import place_problem
from tune_jobs.base.atomic_files import write_whole
from tune_jobs.base.named_files import plain_file
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import EVALUATION_NAME_PATTERN, EVALUATIONS_FOLDER, evaluation_file
from tune_jobs.results.ranking import RankedTrial

FORMAT = 1
_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Scores:
    """The scores of a trial on the test set, with the weights of its best epoch.

    Attributes:
        trial: The number of the trial.
        epoch: The epoch of the weights, from 1.
        examples: The number of examples in the test set.
        evaluated_s: The time of the evaluation, in Unix time.
        metrics: The loss and every metric of the compiled model, by Keras's names.
    """

    trial: int
    epoch: int
    examples: int
    evaluated_s: float
    metrics: Mapping[str, float]


def on_test_set(metric: str) -> str:
    """Return the leaderboard's column of a metric on the test set: ``test_accuracy`` for ``val_accuracy``.

    Args:
        metric: The metric's name, with or without ``val_``.
    """
    return f"test_{metric.removeprefix('val_')}"


def write(run_folder: Path, scores: Scores, reports: Mapping[str, Any]) -> Path:
    """Write a trial's evaluation, and replace an earlier one.

    Args:
        run_folder: The run's folder.
        scores: The scores that ``read`` returns later. A metric that is not finite is written as null.
        reports: A report for each output of the model, as JSON values, for people and other programs.

    Returns:
        The file.

    Raises:
        RequestError: The file cannot be written; nothing was.
    """
    metrics = {name: value if math.isfinite(value) else None for name, value in scores.metrics.items()}
    content = {**stamp(FORMAT), **vars(scores), "metrics": metrics, "reports": dict(reports)}
    path = evaluation_file(run_folder, scores.trial)
    if problem := place_problem(path.parent, is_folder=True):
        raise RequestError(f"The scores cannot be written into {path.parent}: {problem}. Move it away.")
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise RequestError(f"The folder {path.parent} cannot be made: {error.strerror}.") from error
    write_whole(path, (json.dumps(content, allow_nan=False) + "\n").encode(), "Move it away.", is_own=True)
    return path


def read(run_folder: Path) -> tuple[list[Scores], list[str]]:
    """Return all evaluations of a run by trial, and a sentence about each file that is damaged. Execute nothing.

    Args:
        run_folder: The run's folder.
    """
    scores_read, problems = [], []
    for path in sorted((run_folder / EVALUATIONS_FOLDER).glob("*.json")):
        if not re.fullmatch(EVALUATION_NAME_PATTERN, path.name):
            continue
        try:
            scores_read.append(_read(path))
        except NewerFormatError as error:
            problems.append(f"{path} is left out. {error}")
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            remedy = f"remove it, or evaluate trial {int(path.stem)} again"
            problems.append(f"{path} is damaged ({type(error).__name__}: {error}) and left out: {remedy}.")
    return sorted(scores_read, key=lambda scores: scores.trial), problems


def read_reports(run_folder: Path, trial: int) -> dict[str, Any]:
    """Return the reports of a trial's evaluation by output, as JSON values; none if there are none that can be read.

    Their content is not checked: see ``evaluation.reports`` for what each kind of them holds.

    Args:
        run_folder: The run's folder.
        trial: The number of the trial.
    """
    try:
        reports = _content(evaluation_file(run_folder, trial)).get("reports")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    if type(reports) is not dict:
        return {}
    return {name: report for name, report in reports.items() if type(report) is dict}


def current(evaluations: Iterable[Scores], ranked: Iterable[RankedTrial]) -> tuple[dict[int, Scores], list[str]]:
    """Return the evaluations that belong on the leaderboard, by trial, and a sentence about each that does not.

    An evaluation of another epoch than the trial's best is of weights that the leaderboard no longer ranks.

    Args:
        evaluations: All evaluations of a run.
        ranked: The trials of the run.
    """
    best_epochs = {row.trial.trial: row.best.epoch if row.best else None for row in ranked}
    up_to_date, outdated = {}, []
    for scores in evaluations:
        best = best_epochs.get(scores.trial)
        if scores.epoch == best:
            up_to_date[scores.trial] = scores
        else:
            now = "has none now" if best is None else f"is epoch {best} now"
            outdated.append(
                f"The test scores of trial {scores.trial} are left out: they are of epoch {scores.epoch}, but its best "
                f"{now}. Evaluate it again."
            )
    return up_to_date, outdated


def _content(path: Path) -> dict[str, Any]:
    with open(path, "rb", opener=plain_file) as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES} bytes")
    fields = json.loads(content)
    check_format({"format": 0, **fields}, FORMAT)
    return dict(fields)


def _read(path: Path) -> Scores:
    fields = _content(path)
    if type(fields["metrics"]) is not dict:
        raise ValueError("it has no metrics")
    metrics = {_text(name): _number(value) for name, value in fields["metrics"].items()}
    trial, epoch, examples = (_whole(fields[name]) for name in ("trial", "epoch", "examples"))
    if trial != int(path.stem):
        raise ValueError("it is of another trial than its name says")
    return Scores(trial, epoch, examples, _number(fields["evaluated_s"]), metrics)


def _whole(value: object) -> int:
    if type(value) is int and 0 <= value < 2**63:
        return value
    raise ValueError("a number in it is no count")


def _number(value: object) -> float:
    if value is None:
        return math.nan
    if type(value) in (int, float):
        return float(value)  # type: ignore[arg-type]  # mypy does not follow `in`
    raise ValueError("a score in it is not a number")


def _text(name: str) -> str:
    name.encode()  # raises for half of a surrogate pair, which no file can store
    return name
