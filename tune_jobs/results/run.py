"""A run, read from its folder: its history, its leaderboard, its curves and its best model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.storage.object_store import ObjectStoreFolder
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.results import evaluations, object_store_runs
from tune_jobs.results.evaluations import Scores
from tune_jobs.results.figures import Figures
from tune_jobs.results.history import History, fold
from tune_jobs.results.journal.events import Event
from tune_jobs.results.journal.reading import read_journal, read_met
from tune_jobs.results.layout import EVALUATIONS_FOLDER, JOURNAL_FILE
from tune_jobs.results.ranking import ranking, without_best
from tune_jobs.results.record_file import objectives_in, read_record

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from search_spaces import SearchSpace
    from trainables import KerasTrainable


@dataclass(frozen=True, slots=True)
class Repeat:
    """The position of a run in a group of repeats: runs of one experiment with different seeds.

    Attributes:
        of: The name of the group.
        number: The number of the run in the group, from 1.
        count: The number of runs that the group is to have.
    """

    of: str
    number: int
    count: int

    @property
    def name(self) -> str:
        """The name of the run."""
        return f"{self.of}-{self.number}"


class Run(Figures):
    """One execution of an experiment.

    A run is a folder. Every question reads the folder anew, so a run can be watched while it goes on. Nothing in the
    folder is executed.

    Args:
        folder: The run's folder. For a run in an object store: its copy on this machine.
        remote: The run in the object store; None if it does not lie in one.

    Attributes:
        folder, remote: As given.
        experiment: The content of ``experiment.json``: the request.

    Raises:
        RequestError: The folder is not that of a run.

    Example:
        >>> import tune_jobs
        >>> run = tune_jobs.load_run("runs/digits")
        >>> run.name, run.objective.metric, len(run.leaderboard())
        ('digits', 'val_accuracy', 4)
    """

    def __init__(self, folder: Path | str, remote: ObjectStoreFolder | None = None) -> None:
        self.folder = Path(folder)
        self.remote = remote
        self.experiment = read_record(self.folder)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.folder.name

    @property
    def location(self) -> Path | str:
        """The folder or the URI by which ``load_run`` finds the run. A URI includes its credentials, if it has any."""
        return self.folder if self.remote is None else self.remote.uri

    @property
    def storage(self) -> Path | str:
        """The folder of all runs in which this one lies, or the URI of that storage."""
        return self.folder.parent if self.remote is None else self.remote.root

    @property
    def objective(self) -> Objective:
        """The objective, with its metric, its mode and the constraints. It is the first if there are several."""
        return self.objectives[0]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives, the first one with the constraints."""
        return objectives_in(self.experiment)

    @property
    def space(self) -> SearchSpace:
        """The search space, with the parameters that trials have met since it began, see ``ParametersMet``."""
        from tune_jobs.results.met_parameters import grown_space

        return grown_space(self.experiment["space"], read_met(self.folder / JOURNAL_FILE))[0]

    @property
    def repeat(self) -> Repeat | None:
        """The position of the run in a group of repeats; None for a run by itself."""
        match self.experiment.get("repeat"):
            case {"of": str(of), "number": int(number), "count": int(count)} if 1 <= number <= count:
                return Repeat(of, number, count)
        return None

    @property
    def is_study(self) -> bool:
        """True if ``tune_jobs.ask_tell`` began the run, so that a loop of the user's own trains its trials."""
        return self.experiment.get("trainable") == "tune_jobs.engine.study:TrainedByHand"

    def events(self) -> list[Event]:
        """Return everything that has happened so far, in order.

        Raises:
            JournalError: The journal is damaged, and not by a crash.
        """
        path = self.folder / JOURNAL_FILE
        return read_journal(path) if path.exists() else []

    def history(self) -> History:
        """Return what has become of each trial so far.

        Raises:
            JournalError: The journal is damaged, and not by a crash.

        Example:
            >>> import tune_jobs
            >>> history = tune_jobs.load_run("runs/digits").history()
            >>> list(history.trials), str(history.reason)
            ([0, 1, 2, 3], 'all trials')
        """
        return fold(self.events(), self.experiment["space"])

    def leaderboard(self) -> pd.DataFrame:
        """Return the trials as one table, the best first.

        Returns:
            A row per trial. ``tune_jobs.results.leaderboard`` describes the columns.

        Raises:
            JournalError: The journal is damaged, and not by a crash.

        Example:
            >>> import tune_jobs
            >>> board = tune_jobs.load_run("runs/digits").leaderboard()
            >>> list(board.columns[:5])
            ['rank', 'trial', 'status', 'val_accuracy', 'best_epoch']
        """
        frame, _ = self.leaderboard_and_notes()
        return frame

    def leaderboard_and_notes(self) -> tuple[pd.DataFrame, list[str]]:
        """Return the leaderboard, and a sentence about each thing that is missing in it.

        An evaluation is left out if its file is damaged, or if it is of another epoch than the trial's best one. An
        epoch, or a trial's end, is left out if the journal has lost something before it.
        """
        from tune_jobs.results.leaderboard import columns_of, leaderboard, metrics_note

        history = self.history()
        scores, notes = self.test_scores(history)
        frame = leaderboard(history, self.objective, columns_of(self.space), scores)
        left_out = metrics_note(history, self.objective)
        return frame, [*history.damages, *notes, *([left_out] if left_out else [])]

    def test_scores(self, history: History) -> tuple[dict[int, Scores], list[str]]:
        """Return the scores on the test set by trial, and a sentence about each evaluation that is left out.

        Args:
            history: The history of the run, from which the best epochs are taken.
        """
        if not (self.folder / EVALUATIONS_FOLDER).exists():
            return {}, []
        written, damaged = evaluations.read(self.folder)
        current, outdated = evaluations.current(written, ranking(history, self.objective) if written else [])
        return current, [*damaged, *outdated]

    def curves(self, metric: str | None = None) -> pd.DataFrame:
        """Return the learning curves of all trials.

        Args:
            metric: The metric; None for the objective's.

        Returns:
            A row per trial and a column per epoch; NaN where a trial did not train, or did not report the metric.

        Raises:
            JournalError: The journal is damaged, and not by a crash.

        Example:
            >>> import tune_jobs
            >>> tune_jobs.load_run("runs/digits").curves("loss").shape
            (4, 2)
        """
        from tune_jobs.results.curves import curves

        return curves(self.history(), metric or self.objective.metric)

    @property
    def best_trial(self) -> int:
        """The number of the trial at the top of the leaderboard.

        Raises:
            RequestError: No trial has a finite objective (yet), or none keeps the constraints.
        """
        trials = ranking(self.history(), self.objective)
        if reason := without_best(trials, self.name, self.objective):
            raise RequestError(reason)
        return trials[0].trial.trial

    @property
    def best_config(self) -> Mapping[str, Any]:
        """The configuration of the best trial.

        Raises:
            RequestError: No trial has a finite objective (yet).

        Example:
            >>> import tune_jobs
            >>> config = tune_jobs.load_run("runs/digits").best_config
            >>> len(config["units"]) == config["layers"]
            True
        """
        return self.history().trials[self.best_trial].config

    def load_best_model(self, trainable: type[KerasTrainable] | None = None) -> keras.Model:
        """Return the best trial's model with the weights of its best epoch.

        Args:
            trainable: The class that builds the model. It is needed only if Keras cannot describe the model (a
                subclassed model without ``get_config``), because code is never taken from a run's folder.

        Returns:
            The model, not compiled unless ``trainable`` compiles it.

        Raises:
            RequestError: There is no checkpoint, or the model has to be built by its trainable.

        Example:
            >>> import tune_jobs
            >>> model = tune_jobs.load_run("runs/digits").load_best_model()
            >>> model.output_shape
            (None, 10)
        """
        from tune_jobs.results.models import load_model

        self.bring_weights()
        trial = self.history().trials[self.best_trial]
        return load_model(self.folder, trial, self.objective, trainable, float(self.experiment.get("fraction", 1.0)))

    def bring_weights(self) -> None:
        """Copy the weights of the trials into the run's folder, if the run lies in an object store.

        Raises:
            RequestError: They cannot be read.
        """
        if self.remote is not None:
            object_store_runs.bring_weights(self.remote, self.folder)

    def publish(self, path: Path) -> None:
        """Send a file that was made in the run's folder to the object store, if the run lies in one.

        Args:
            path: The file.

        Raises:
            RequestError: The object store refuses it.
        """
        if self.remote is not None:
            object_store_runs.publish(self.remote, self.folder, path)
