"""Runs of MLflow: one for the search, and one below it for each trial."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.engine.run_folder.tools import Tool
from tune_jobs.results import EpochReported, ParametersMet, RunEnded, Status, TrialEnded, TrialStarted
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

_RUN_TAG, _TRIAL_TAG = "tune_jobs.run", "tune_jobs.trial"
_PARENT = "none"
_REFUSED = re.compile(r"[^\w\-. /]")
_LONGEST_VALUE = 500
_MOST_PARAMS = 100  # of one request
_STATUSES = {Status.COMPLETED: "FINISHED", Status.STOPPED: "FINISHED", Status.INTERRUPTED: "KILLED"}
_OVER = ("FINISHED", "FAILED")
_SECRETS = ("password", "passwd", "token")


class MLflow(Tool):
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

    KIND = "mlflow"

    def __init__(self, uri: str, experiment: str | None = None) -> None:
        self.uri = _anchored(uri)
        self.experiment = experiment or "tune-jobs"

    def settings(self) -> dict[str, Any]:
        """Return the store and the experiment; no store if its address has a password."""
        return {"uri": None if _has_secret(self.uri) else self.uri, "experiment": self.experiment}

    def open(self, plan: Plan) -> None:
        """Find or make the parent run."""
        from mlflow import MlflowClient

        for name in ("mlflow.store.db", "mlflow.store.db.utils", "alembic"):  # they tell of every table that they make
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client: MlflowClient = MlflowClient(tracking_uri=self.uri)
        known = self._client.get_experiment_by_name(self.experiment)
        self._experiment_id = known.experiment_id if known else self._client.create_experiment(self.experiment)
        self._run_key = f"{plan.name} {Run(plan.folder).experiment['created_s']}"
        self._ids: dict[int, str] = {}
        self._steps: dict[int, set[int]] = {}
        self._params: dict[int, set[str]] = {}
        self._over: set[int] = set()
        self._earlier = {run.data.tags[_TRIAL_TAG]: run for run in self._find()} if plan.earlier else {}
        if _PARENT in self._earlier:
            self._parent = self._earlier[_PARENT].info.run_id
            self._client.update_run(self._parent, status="RUNNING")
        else:
            self._parent = self._made(plan.name, _PARENT, None)

    def start_trial(self, event: TrialStarted) -> None:
        """Find or make the run of a trial."""
        known = self._earlier.get(str(event.trial))
        if known is None:
            self._ids[event.trial] = self._made(f"trial {event.trial}", str(event.trial), int(event.time_s * 1000))
            return
        self._ids[event.trial] = known.info.run_id
        if known.info.status in _OVER:
            self._over.add(event.trial)
            return
        self._client.update_run(known.info.run_id, status="RUNNING")
        self._params[event.trial] = set(known.data.params)
        names = known.data.metrics
        name = _name(self._plan.metric) if _name(self._plan.metric) in names else next(iter(names), None)
        history = self._client.get_metric_history(known.info.run_id, name) if name else []
        self._steps[event.trial] = {metric.step for metric in history}

    def configure(self, event: TrialStarted | ParametersMet) -> None:
        """Log the parameters that are not logged yet; MLflow changes none."""
        from mlflow.entities import Param

        if event.trial not in self._ids or event.trial in self._over:
            return
        logged = self._params.setdefault(event.trial, set())
        values = {_name(name): str(value)[:_LONGEST_VALUE] for name, value in event.config.items()}
        new = [Param(name, value) for name, value in values.items() if name not in logged]
        for start in range(0, len(new), _MOST_PARAMS):
            self._client.log_batch(self._ids[event.trial], params=new[start : start + _MOST_PARAMS])
        logged.update(values)

    def report(self, event: EpochReported) -> None:
        """Log the metrics of an epoch."""
        from mlflow.entities import Metric

        is_known = event.epoch in self._steps.get(event.trial, ())
        if event.trial not in self._ids or event.trial in self._over or is_known:
            return
        time_ms = int(event.time_s * 1000)
        metrics = [Metric(_name(name), value, time_ms, event.epoch) for name, value in event.metrics.items()]
        self._client.log_batch(self._ids[event.trial], metrics=metrics)

    def end_trial(self, event: TrialEnded) -> None:
        """Log the status of a trial."""
        if event.trial not in self._ids or event.trial in self._over:
            return
        run = self._ids[event.trial]
        self._client.set_tag(run, "tune_jobs.status", event.status.value)
        self._client.set_tag(run, "tune_jobs.reason", event.error or event.reason)
        self._client.set_terminated(run, _STATUSES.get(event.status, "FAILED"), int(event.time_s * 1000))

    def end_run(self, event: RunEnded) -> None:
        """Log that the run has ended."""
        status = "FAILED" if event.error else "FINISHED"
        self._client.set_terminated(self._parent, status, int(event.time_s * 1000))

    def _made(self, name: str, trial: str, start_ms: int | None) -> str:
        tags = {"mlflow.runName": name, _RUN_TAG: self._run_key, _TRIAL_TAG: trial}
        if trial != _PARENT:
            tags["mlflow.parentRunId"] = self._parent
        return str(self._client.create_run(self._experiment_id, start_ms, tags).info.run_id)

    def _find(self) -> Iterator[MlflowRun]:
        """Yield what earlier sessions of the run have made."""
        token = None
        while True:
            condition = f"tags.`{_RUN_TAG}` = '{self._run_key}'"
            page = self._client.search_runs([self._experiment_id], condition, max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def _name(name: str) -> str:
    return _REFUSED.sub("_", name)[:250]


def _anchored(uri: str) -> str:
    """Return an address whose file is named from the root: the experiment may be run in another working folder."""
    scheme, separator, path = uri.partition(":///")
    if scheme in ("sqlite", "file") and separator and not path.startswith("/"):
        return f"{scheme}{separator}{Path(path).absolute()}"
    is_folder = ":" not in uri and not uri.startswith("databricks")
    return str(Path(uri).absolute()) if is_folder else uri


def _has_secret(uri: str) -> bool:
    parts = urlsplit(uri)
    query: Mapping[str, Any] = parse_qs(parts.query)
    return parts.password is not None or any(name.lower() in _SECRETS for name in query)
