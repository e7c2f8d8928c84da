"""A search that KerasTuner itself has left, ``oracle.json`` and ``trial_*/trial.json``, as a run of ours."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from search_spaces import SearchSpace
from tune_jobs.base.named_files import read_file
from tune_jobs.errors import RequestError
from tune_jobs.keras_tuner.define_by_run.parameter import identifier
from tune_jobs.keras_tuner.define_by_run.parameters import HyperParameter, from_config, plain
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace
from tune_jobs.keras_tuner.objective import Objective, create_objective
from tune_jobs.results import (
    Ending,
    EpochReported,
    Event,
    JournalWriter,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialStarted,
)
from tune_jobs.results.layout import EXPERIMENT_FILE, JOURNAL_FILE, TRIALS_FOLDER
from tune_jobs.results.record_file import EXPERIMENT_FORMAT
from tune_jobs.results.run import Run

ORACLE_FILE, TRIAL_FILES = "oracle.json", "trial_*/trial.json"
_NODE = "keras_tuner"
_MOST_BYTES = 256 * 2**20  # an epoch of each metric takes some 80


@dataclass(frozen=True)
class TheirTrial:
    """A trial of KerasTuner.

    Attributes:
        trial_id: Its identifier.
        values: The values by name. KerasTuner's hold also what the model did not use.
        status: "COMPLETED", "FAILED" or another of ``TrialStatus``.
        message: The error; None without one.
        epochs: The metrics by epoch, from 1: as many epochs as KerasTuner has kept.
        directions: The direction of each metric, "min" or "max", as far as KerasTuner knew it.
    """

    trial_id: str
    values: Mapping[str, Any]
    status: str
    message: str | None
    epochs: Mapping[int, Mapping[str, float]]
    directions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TheirSearch:
    """A search of KerasTuner.

    Attributes:
        folder: Its folder.
        space: The hyperparameters, in the order in which they were met.
        trials: The trials, in the order in which they started.
    """

    folder: Path
    space: tuple[HyperParameter, ...]
    trials: tuple[TheirTrial, ...]


def is_theirs(folder: Path) -> bool:
    """Return whether a folder holds a search of KerasTuner itself."""
    return (folder / ORACLE_FILE).is_file() and not (folder / EXPERIMENT_FILE).exists()


def read_search(folder: str | Path) -> TheirSearch:
    """Return the search that KerasTuner has left in a folder. Nothing in it is executed.

    Args:
        folder: The folder, which holds ``oracle.json``.

    Raises:
        RequestError: It holds no such search, or one that is damaged.
    """
    path = Path(folder)
    oracle = _read(path / ORACLE_FILE)
    try:
        space = tuple(from_config(entry) for entry in oracle["hyperparameters"]["space"])
        order = [str(identifier) for identifier in oracle.get("start_order", [])]
        trials = [_trial(_read(file)) for file in sorted(path.glob(TRIAL_FILES))]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RequestError(
            f"{path} holds no whole search of KerasTuner ({type(error).__name__}: {error}): restore it from a copy."
        ) from error
    trials.sort(key=lambda trial: order.index(trial.trial_id) if trial.trial_id in order else len(order))
    return TheirSearch(path, space, tuple(trials))


def convert_search(
    folder: str | Path,
    objective: Any,
    *,
    storage: str | Path = "runs",
    name: str | None = None,
    found: FoundSpace | None = None,
) -> Run:
    """Write a search of KerasTuner as a run: a leaderboard shows it, and a search can begin with what it found.

    Args:
        folder: The folder of the search.
        objective: The objective, which KerasTuner has not written down: the name of a metric, or an ``Objective``.
        storage: The folder of all runs.
        name: The name of the new run; None: that of the search's folder.
        found: The space of the model that is searched now. A trial keeps what this space has of its values, and is left
            out if it lacks one. None: each trial keeps all of its values.

    Returns:
        The run.

    Raises:
        RequestError: The folder holds no such search, or the run exists.

    Example:
        >>> import tune_jobs.keras_tuner as kt
        >>> kt.convert_search("old_searches/mnist", "val_accuracy")
        Traceback (most recent call last):
        tune_jobs.errors.RequestError: old_searches/mnist/oracle.json cannot be read (No such file or directory): ...
    """
    search = read_search(folder)
    wanted: Objective = create_objective(objective)
    target = Path(storage).absolute() / (name or search.folder.resolve().name)
    if target.exists():
        raise RequestError(f"The run {target.name!r} exists already in {storage}: choose another `name`.")
    known = (
        SearchSpace(**{identifier(one.name): one.parameter for one in search.space}) if found is None else found.space
    )
    record = {
        "format": EXPERIMENT_FORMAT,
        "name": target.name,
        "experiment": target.name,
        "reference": None,
        "created_s": time.time(),
        "space": known.to_json(),
        "objective": wanted.metric_objective.to_json(),
        "converted_from": str(search.folder),
    }
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        (unfinished / TRIALS_FOLDER).mkdir(parents=True)
        (unfinished / EXPERIMENT_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        with JournalWriter(unfinished / JOURNAL_FILE) as journal:
            for event in _events(search, found):
                journal.write(event)
        unfinished.rename(target)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise RequestError(f"The run {target} cannot be written: {error.strerror}.") from error
    return Run(target)


@contextmanager
def runs_to_begin_with(
    sources: Sequence[Run | Path | str], objective: Objective, found: FoundSpace
) -> Iterator[list[Run | Path | str]]:
    """Yield sources of a warm start, with searches of KerasTuner as runs in a folder that is removed afterwards.

    Args:
        sources: Runs, their folders, or folders of searches of KerasTuner.
        objective: The objective of the new search.
        found: The space of the new search.
    """
    with TemporaryDirectory(prefix="tune-jobs-") as scratch:
        runs: list[Run | Path | str] = []
        for number, source in enumerate(sources):
            if isinstance(source, str | Path) and is_theirs(Path(source)):
                runs.append(convert_search(source, objective, storage=scratch, name=f"theirs-{number}", found=found))
            else:
                runs.append(source)
        yield runs


def _events(search: TheirSearch, found: FoundSpace | None) -> list[Event]:
    now_s = time.time()
    events: list[Event] = [RunStarted(time_s=now_s, cpus=1, gpus=0, max_concurrent_trials=1)]
    number = 0
    for trial in search.trials:
        config = (
            {identifier(name): plain(value) for name, value in trial.values.items()}
            if found is None
            else found.config(trial.values)
        )
        if config is None:
            continue
        is_sound = trial.status == "COMPLETED" and bool(trial.epochs)
        events.append(TrialStarted(time_s=now_s, trial=number, config=config, node=_NODE))
        for epoch, (step, metrics) in enumerate(sorted(trial.epochs.items()), start=1):
            last = step == max(trial.epochs)
            events.append(
                EpochReported(time_s=now_s, trial=number, epoch=epoch, metrics=metrics, seconds=0.0, done=last)
            )
        events.append(
            TrialEnded(
                time_s=now_s,
                trial=number,
                status=Status.COMPLETED if is_sound else Status.FAILED,
                reason="as KerasTuner left it",
                error=None if is_sound else (trial.message or trial.status).strip().splitlines()[-1],
                epochs=len(trial.epochs),
            )
        )
        number += 1
    return [*events, RunEnded(time_s=now_s, reason=Ending.TRIALS, error=None)]


def _trial(state: Mapping[str, Any]) -> TheirTrial:
    epochs: dict[int, dict[str, float]] = {}
    directions: dict[str, Any] = {}
    for name, history in state["metrics"]["metrics"].items():
        directions[name] = history.get("direction")
        for observation in history["observations"]:
            epochs.setdefault(int(observation["step"]) + 1, {})[name] = fmean(map(float, observation["value"]))
    return TheirTrial(
        str(state["trial_id"]),
        state["hyperparameters"]["values"],
        str(state["status"]),
        state.get("message"),
        epochs,
        directions,
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_file(file, _MOST_BYTES))
    except OSError as error:
        raise RequestError(
            f"{file} cannot be read ({error.strerror}): name the folder of a search, directory/project_name."
        ) from error
    except ValueError as error:
        raise RequestError(f"{file} is damaged ({error}): restore it from a copy.") from error
    if not isinstance(content, dict):
        raise RequestError(f"{file} is damaged: restore it from a copy.")
    return content
