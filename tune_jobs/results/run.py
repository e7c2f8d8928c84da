"""A run as its folder tells it: leaderboard, curves, the best configuration and the best model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trainables.storage.object_store import ObjectStoreFolder, is_uri, redacted
from tune_jobs.errors import RequestError
from tune_jobs.results import evaluations
from tune_jobs.results import object_store_runs as remote_runs
from tune_jobs.results.evaluations import Scores
from tune_jobs.results.history import History, fold
from tune_jobs.results.journal.events import Event
from tune_jobs.results.journal.file import read_journal
from tune_jobs.results.layout import EXPERIMENT_FILE, JOURNAL_FILE

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from search_spaces import SearchSpace
    from trainables import KerasTrainable

_MOST_EXPERIMENT_BYTES = 16 * 2**20


@dataclass(frozen=True)
class RunObjective:
    """The objective that a run was asked for."""

    metric: str
    mode: Literal["max", "min"]


class Run:
    """One execution of an experiment: a folder, read anew at every question, also while the run goes on.

    Reading it executes nothing that is in it.

    Attributes:
        folder: The run's folder; of one in an object store, that of its copy here.
        remote: Where it lies in an object store; None: nowhere.

    Raises:
        RequestError: The folder is not that of a run.
    """

    def __init__(self, folder: Path | str, remote: ObjectStoreFolder | None = None) -> None:
        self.folder = Path(folder)
        self.remote = remote
        self.experiment = _read_experiment(self.folder)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def place(self) -> Path | str:
        """What ``load_run`` takes to find it: its folder, or its URI, with the credentials, if there are any."""
        return self.folder if self.remote is None else self.remote.uri

    @property
    def storage(self) -> Path | str:
        """Where it lies, beside others: a folder, or the URI of a storage."""
        return self.folder.parent if self.remote is None else self.remote.root

    @property
    def objective(self) -> RunObjective:
        """What was optimised."""
        return RunObjective(**self.experiment["objective"])

    @property
    def space(self) -> SearchSpace:
        """What was searched."""
        from search_spaces import SearchSpace

        return SearchSpace.from_json(self.experiment["space"])

    def history(self) -> History:
        """What came of it so far.

        Raises:
            JournalError: The journal is damaged other than by a crash.
        """
        return fold(self.events())

    def events(self) -> list[Event]:
        """Everything that happened so far, in order.

        Raises:
            JournalError: The journal is damaged other than by a crash.
        """
        path = self.folder / JOURNAL_FILE
        return read_journal(path) if path.exists() else []

    def leaderboard(self) -> pd.DataFrame:
        """The trials as one table, the best first: see ``tune_jobs.results.leaderboard``."""
        frame, _ = self.noted_leaderboard()
        return frame

    def noted_leaderboard(self) -> tuple[pd.DataFrame, list[str]]:
        """The leaderboard, and a sentence about each evaluation that it leaves out: damaged, or of another epoch."""
        from tune_jobs.results.columns import columns
        from tune_jobs.results.leaderboard import leaderboard

        history = self.history()
        tested, problems = self.test_scores(history)
        return leaderboard(history, self.objective, columns(self.space), tested), problems

    def test_scores(self, history: History) -> tuple[dict[int, Scores], list[str]]:
        """The evaluations that belong to a history of it, by trial, and a sentence about each that is left out."""
        from tune_jobs.results.ranking import ranking

        found, damaged = evaluations.read(self.folder)
        belonging, outdated = evaluations.current(found, ranking(history, self.objective) if found else [])
        return belonging, [*damaged, *outdated]

    def curves(self, metric: str | None = None) -> pd.DataFrame:
        """A metric (by default the objective) of every trial, a row each, at every epoch, a column each."""
        from tune_jobs.results.curves import curves

        return curves(self.history(), metric or self.objective.metric)

    @property
    def best_trial(self) -> int:
        """The number of the trial at the top of the leaderboard.

        Raises:
            RequestError: No trial has a finite objective (yet).
        """
        from tune_jobs.results.ranking import ranking

        places = ranking(self.history(), self.objective)
        if not places or places[0].rank is None:
            raise RequestError(f"The run {self.name} has no trial with a finite {self.objective.metric} yet.")
        return places[0].trial.trial

    @property
    def best_config(self) -> Mapping[str, Any]:
        """The configuration of the best trial."""
        return self.history().trials[self.best_trial].config

    def bring_weights(self) -> None:
        """Has the weights of its trials in its folder, where they lie in an object store.

        Raises:
            RequestError: They cannot be read.
        """
        if self.remote is not None:
            remote_runs.bring_weights(self.remote, self.folder)

    def publish(self, path: Path) -> None:
        """Has a file that was made in its folder where the run lies, too.

        Raises:
            RequestError: The object store refuses it.
        """
        if self.remote is not None:
            remote_runs.publish(self.remote, self.folder, path)

    def load_best_model(self, trainable: type[KerasTrainable] | None = None) -> keras.Model:
        """The best trial's model, with the weights of its best epoch.

        Args:
            trainable: Who builds the model; needed only where Keras cannot describe it (a subclassed model without
                ``get_config``), because code is never taken from a run's folder.

        Raises:
            RequestError: There is no checkpoint, or the model has to be built by its trainable.
        """
        from tune_jobs.results.models import load_model

        self.bring_weights()
        trial = self.history().trials[self.best_trial]
        return load_model(self.folder, trial, self.objective, trainable)


def load_run(folder: Path | str) -> Run:
    """The run in a folder, or at the URI of one in an object store, as it is now: what is known of it is brought here.

    Raises:
        RequestError: The folder is not that of a run, or the storage cannot be read.
    """
    if not isinstance(folder, str) or not is_uri(folder):
        return Run(folder)
    if (run := _remote_run(ObjectStoreFolder.named(folder))) is None:
        raise RequestError(f"{redacted(folder)} is no run's folder: it has no {EXPERIMENT_FILE}.")
    return run


def _remote_run(remote: ObjectStoreFolder) -> Run | None:
    folder = remote_runs.bring_records(remote)
    return None if folder is None else Run(folder, remote)


def find_run(reference: str, storage: Path | str) -> Run:
    """The run that a person names: by its folder or its URI, or by its name within the storage.

    Raises:
        RequestError: There is none; the error lists those that there are.
    """
    remote = remote_runs.named(reference, storage)
    if remote is not None and (found := _remote_run(remote)) is not None:
        return found
    storage = remote.root if remote is not None else storage
    for folder in (Path(reference), Path(storage) / reference):
        if (folder / EXPERIMENT_FILE).is_file():
            return Run(folder)
    names = remote_runs.run_names(str(storage)) if is_uri(storage) else [run.name for run in list_runs(storage)]
    shown = redacted(str(storage))
    near = [name for name in names if name.startswith(f"{reference}-")] or names
    there = f"There are: {', '.join(near[-5:])}." if names else f"{shown} has no runs."
    raise RequestError(
        f"There is no run {redacted(reference)!r}, neither as a folder nor by that name in {shown}. {there} "
        "Use --storage when it lies elsewhere."
    )


def list_runs(storage: Path | str) -> list[Run]:
    """All runs of a storage, the oldest first; folders that cannot be read as runs are left out."""
    if is_uri(storage):
        remotes = (ObjectStoreFolder(str(storage), name) for name in remote_runs.run_names(str(storage)))
        return sorted(filter(None, map(_remote_run, remotes)), key=_age)
    runs = []
    for path in Path(storage).glob(f"*/{EXPERIMENT_FILE}"):
        try:
            runs.append(Run(path.parent))
        except RequestError:
            continue
    return sorted(runs, key=_age)


def _age(run: Run) -> tuple[float, str]:
    return run.experiment["created_s"], run.name


def _read_experiment(folder: Path) -> dict[str, Any]:
    path = folder / EXPERIMENT_FILE
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_EXPERIMENT_BYTES + 1)
        if len(text) > _MOST_EXPERIMENT_BYTES:
            raise ValueError(f"it is longer than {_MOST_EXPERIMENT_BYTES} bytes")
        asked = json.loads(text.decode())
        objective = asked["objective"]
        sound = (
            isinstance(objective["metric"], str)
            and objective["mode"] in ("max", "min")
            and set(objective) == {"metric", "mode"}
            and isinstance(asked["created_s"], int | float)
            and isinstance(asked["space"], dict)
            and isinstance(asked.get("experiment", ""), str)
        )
    except OSError as error:
        raise RequestError(f"{folder} is no run's folder: {path.name} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestError(f"{path} is damaged ({error}): restore it from a copy.") from error
    if not sound:
        raise RequestError(f"{path} is damaged: restore it from a copy.")
    return dict(asked)
