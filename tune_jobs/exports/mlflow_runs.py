"""Runs of MLflow: one for the search, and one below it for each trial."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from tune_jobs.engine.run_folder.callbacks import Callback
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.results import EpochReported, Event, RunEnded, Status, TrialEnded, TrialStarted

if TYPE_CHECKING:
    from mlflow import MlflowClient

_RUN_TAG, _TRIAL_TAG = "tune_jobs.run", "tune_jobs.trial"
_REFUSED = re.compile(r"[^\w\-. /]")
_LONGEST_VALUE = 500
_STATUSES = {Status.COMPLETED: "FINISHED", Status.STOPPED: "FINISHED", Status.INTERRUPTED: "KILLED"}


class MLflow(Callback):
    """A callback that logs a run to MLflow: a parent run, and a child run for each trial.

    Parameters, all metrics of all epochs, and the status of each trial are logged. When a run is resumed, what is
    missing is added.

    Args:
        uri: The tracking server or store, such as ``sqlite:///mlflow.db`` or ``http://server:5000``.
        experiment: MLflow's name of the experiment; None: tune-jobs.

    Example:
        >>> import tune_jobs
        >>> callback = tune_jobs.MLflow("sqlite:///mlflow.db")
        >>> # tune_jobs.run(EXPERIMENT, callbacks=[callback])
    """

    def __init__(self, uri: str, experiment: str | None = None) -> None:
        self.uri = uri
        self.experiment = experiment
        self._ids: dict[int, str] = {}
        self._logged: dict[int, int] = {}

    def begin(self, plan: Plan) -> None:
        """Find or make the parent run, and log what is missing of earlier sessions."""
        from mlflow import MlflowClient

        for name in ("mlflow.store.db", "mlflow.store.db.utils", "alembic"):  # they tell of every table that they make
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client: MlflowClient = MlflowClient(tracking_uri=self.uri)
        name = self.experiment or "tune-jobs"
        known = self._client.get_experiment_by_name(name)
        self._experiment_id = known.experiment_id if known else self._client.create_experiment(name)
        self._run_key = str(plan.folder.absolute())
        self._parent = self._find("") if plan.earlier else None
        if self._parent is None:
            tags = {"mlflow.runName": plan.name, _RUN_TAG: self._run_key, _TRIAL_TAG: "none"}
            self._parent = self._client.create_run(self._experiment_id, tags=tags).info.run_id
        for event in plan.earlier:
            self.event(event)

    def event(self, event: Event) -> None:
        """Log an event."""
        match event:
            case TrialStarted():
                self._start(event)
            case EpochReported():
                self._report(event)
            case TrialEnded() if event.trial in self._ids:
                self._client.set_tag(self._ids[event.trial], "tune_jobs.status", event.status.value)
                self._client.set_tag(self._ids[event.trial], "tune_jobs.reason", event.error or event.reason)
                self._client.set_terminated(self._ids[event.trial], _STATUSES.get(event.status, "FAILED"))
            case RunEnded():
                self._client.set_terminated(self._parent, "FAILED" if event.error else "FINISHED")

    def _find(self, trial: str) -> str | None:
        condition = f"tags.`{_RUN_TAG}` = '{self._quoted()}' and tags.`{_TRIAL_TAG}` = '{trial or 'none'}'"
        found = self._client.search_runs([self._experiment_id], condition, max_results=1)
        return str(found[0].info.run_id) if found else None

    def _quoted(self) -> str:
        return self._run_key.replace("'", "\\'")

    def _start(self, event: TrialStarted) -> None:
        from mlflow.entities import Param

        trial = event.trial
        if trial in self._ids:
            return  # it goes on
        if (known := self._find(str(trial))) is not None:
            self._ids[trial] = known
            data = self._client.get_run(known).data.metrics
            name = next(iter(data), None)
            history = self._client.get_metric_history(known, name) if name else []
            self._logged[trial] = max((metric.step for metric in history), default=0)
            return
        tags = {"mlflow.runName": f"trial {trial}", _RUN_TAG: self._run_key, _TRIAL_TAG: str(trial)}
        tags["mlflow.parentRunId"] = str(self._parent)
        made = self._client.create_run(self._experiment_id, int(event.time_s * 1000), tags)
        self._ids[trial] = made.info.run_id
        params = [Param(_name(name), str(value)[:_LONGEST_VALUE]) for name, value in event.config.items()]
        self._client.log_batch(made.info.run_id, params=params)

    def _report(self, event: EpochReported) -> None:
        from mlflow.entities import Metric

        if event.trial not in self._ids or event.epoch <= self._logged.get(event.trial, 0):
            return
        time_ms = int(event.time_s * 1000)
        metrics = [Metric(_name(name), value, time_ms, event.epoch) for name, value in event.metrics.items()]
        self._client.log_batch(self._ids[event.trial], metrics=metrics)


def _name(name: str) -> Any:
    return _REFUSED.sub("_", name)[:250]
