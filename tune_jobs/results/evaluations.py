"""What trials are worth on the test set: written beside the run, read with as little trust as its journal."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tune_jobs.base.atomic_files import write_whole
from tune_jobs.errors import RequestError
from tune_jobs.results.layout import EVALUATIONS_FOLDER
from tune_jobs.results.ranking import RankedTrial

FORMAT = 1
_NAME = re.compile(r"\d{4,10}\.json")
_MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Scores:
    """What the weights of a trial's best epoch are worth on the test set.

    Attributes:
        trial: The trial's number.
        epoch: The epoch that the weights are of, from 1.
        examples: How many examples the test set has.
        evaluated_s: When it was evaluated, in unix time.
        metrics: The loss and every metric of the compiled model, by Keras's names.
    """

    trial: int
    epoch: int
    examples: int
    evaluated_s: float
    metrics: Mapping[str, float]


def on_test_set(metric: str) -> str:
    """The leaderboard's column of a metric on the test set: test_accuracy, of accuracy as of val_accuracy."""
    return f"test_{metric.removeprefix('val_')}"


def path_of(run_folder: Path, trial: int) -> Path:
    """The file of a trial's evaluation."""
    return run_folder / EVALUATIONS_FOLDER / f"{trial:04d}.json"


def write(run_folder: Path, scores: Scores, reports: Mapping[str, Any]) -> Path:
    """Writes a trial's evaluation; an earlier one is replaced.

    Args:
        run_folder: The run's folder.
        scores: What comes back from ``read``. A metric that is not finite is written as null.
        reports: More about each output of the model, as JSON values, for people and other programs.

    Raises:
        RequestError: It cannot be written; nothing was.
    """
    metrics = {name: value if math.isfinite(value) else None for name, value in scores.metrics.items()}
    content = {"format": FORMAT, **vars(scores), "metrics": metrics, "reports": dict(reports)}
    path = path_of(run_folder, scores.trial)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise RequestError(f"The folder {path.parent} cannot be made: {error.strerror}.") from error
    write_whole(path, (json.dumps(content, allow_nan=False) + "\n").encode())
    return path


def read(run_folder: Path) -> tuple[list[Scores], list[str]]:
    """All evaluations of a run by trial, and a sentence about each file that is none. Nothing is executed."""
    found, problems = [], []
    for path in sorted((run_folder / EVALUATIONS_FOLDER).glob("*.json")):
        if not _NAME.fullmatch(path.name):
            continue
        try:
            found.append(_read(path))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            remedy = f"remove it, or evaluate trial {int(path.stem)} again"
            problems.append(f"{path} is damaged ({type(error).__name__}: {error}) and left out: {remedy}.")
    return sorted(found, key=lambda scores: scores.trial), problems


def current(evaluations: Iterable[Scores], places: Iterable[RankedTrial]) -> tuple[dict[int, Scores], list[str]]:
    """The evaluations that belong on the leaderboard, by trial, and a sentence about each that does not.

    One of another epoch than the trial's best tells of weights that the leaderboard no longer ranks.
    """
    epochs = {place.trial.trial: place.best.epoch if place.best else None for place in places}
    belonging, outdated = {}, []
    for scores in evaluations:
        best = epochs.get(scores.trial)
        if scores.epoch == best:
            belonging[scores.trial] = scores
        else:
            now = "has none now" if best is None else f"is epoch {best} now"
            outdated.append(
                f"The test scores of trial {scores.trial} are left out: they are of epoch {scores.epoch}, but its best "
                f"{now}. Evaluate it again."
            )
    return belonging, outdated


def _read(path: Path) -> Scores:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    fields = json.loads(content)
    if fields["format"] != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    if type(fields["metrics"]) is not dict:
        raise ValueError("it has no metrics")
    metrics = {_text(name): _number(value) for name, value in fields["metrics"].items()}
    trial, epoch, examples = (_whole(fields[name]) for name in ("trial", "epoch", "examples"))
    if trial != int(path.stem):
        raise ValueError("it tells of another trial than its name")
    return Scores(trial, epoch, examples, _number(fields["evaluated_s"]), metrics)


def _whole(value: object) -> int:
    if type(value) is int and 0 <= value < 2**63:
        return value
    raise ValueError("a number in it is none that counts something")


def _number(value: object) -> float:
    if value is None:
        return math.nan
    if type(value) in (int, float):
        return float(value)  # type: ignore[arg-type]  # mypy does not follow `in`
    raise ValueError("a score in it is not a number")


def _text(name: str) -> str:
    name.encode()  # half of a surrogate pair, which no file takes, raises
    return name
