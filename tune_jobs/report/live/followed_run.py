"""A run that is followed: its journal is read on from where it was read before, and its page is made anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainables.exits import described
from tune_jobs.analysis.importance import LEAST_TRIALS, Importances, measure_importance
from tune_jobs.errors import RequestError
from tune_jobs.report.catalog import Group, catalog, options_by_key
from tune_jobs.report.figures.style import message_figure
from tune_jobs.report.logs import trial_log
from tune_jobs.report.material import Material
from tune_jobs.report.page.assembly import json_text
from tune_jobs.report.page.content import curve_metrics, run_content, trial_content
from tune_jobs.results import Event, JournalError, JournalFollower
from tune_jobs.results.layout import JOURNAL_FILE
from tune_jobs.results.run import Run
from tune_jobs.views.tables.runs import run_cells
from tune_jobs.views.text import clean, moment

_REST = 3.0  # times as long as the page took to make: a large run must not keep a core busy
_GROWTH = 1.15


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment, and what was made of it.

    Attributes:
        version: The version; another one has other content.
        material: The material of the run.
        groups: The figures that can be drawn.
        content: The content of the page as JSON.
    """

    version: str
    material: Material
    groups: Sequence[Group]
    content: str


class FollowedRun:
    """A run that is followed by any number of people.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._follower = JournalFollower(run.folder / JOURNAL_FILE)
        self._events: list[Event] = []
        self._snapshot: Snapshot | None = None
        self._figures: dict[str, str] = {}
        self._not_before_s = 0.0
        self._importances: Importances | None = None
        self._measured_trials = 0
        self._measuring = False

    def snapshot(self) -> Snapshot:
        """Return the run as it is now, or as it was a moment ago if it is so large that its page takes long to make.

        Raises:
            RequestError: The folder is no longer that of a run.
            JournalError: The journal is damaged, and not by a crash.
        """
        with self._lock:
            return self._up_to_date()

    def content(self, since: str) -> str:
        """Return the content of the page as JSON; only the version if somebody has it already.

        Args:
            since: The version that somebody has, or "".
        """
        snapshot = self.snapshot()
        if snapshot.version == since:
            return json_text({"version": since})
        return snapshot.content

    def figure(self, key: str) -> str:
        """Return a figure as JSON.

        Args:
            key: A key of the catalog. An unknown one, which the run had a moment ago, is a figure without anything.
        """
        snapshot = self.snapshot()
        name = f"{snapshot.version} {key}"
        if name not in self._figures:
            option = options_by_key(snapshot.groups).get(key)
            try:
                drawn = json_text(message_figure("")) if option is None else str(option.draw().to_json())
            except RequestError as error:
                drawn = json_text(message_figure(str(error)))
            self._figures[name] = drawn
        return self._figures[name]

    def trial(self, number: int) -> str:
        """Return what the page says of a trial as JSON; "null" if there is no such trial."""
        material = self.snapshot().material
        trial = material.history.trials.get(number)
        if trial is None:
            return "null"
        metrics = curve_metrics(material)
        content = trial_content(material, trial, [metric["name"] for metric in metrics])
        return json_text({**content, "log": trial_log(material, trial), "curve_metrics": metrics})

    def overview(self) -> Mapping[str, Any]:
        """Return the row of the run in the list of runs, or why there is none."""
        try:
            return self._overview()
        except (RequestError, JournalError) as error:
            return {"name": clean(self._run.name), "problem": clean(error)}
        except Exception as error:  # noqa: BLE001 - the folder may be anybody's, and the other runs are to be shown
            return {"name": clean(self._run.name), "problem": f"It cannot be shown ({clean(described(error)):.300})."}

    def _overview(self) -> Mapping[str, Any]:
        snapshot = self.snapshot()
        material = snapshot.material
        trials, best, state = run_cells(self._run, material.history)
        planned = self._run.experiment.get("trials")
        ended = sum(trial.ended_s is not None for trial in material.history.trials.values())
        share = min(1.0, ended / planned) if type(planned) is int and planned > 0 else None
        started = moment(self._run.experiment["created_s"])
        about = {"name": clean(self._run.name), "started": started, "trials": trials}
        return {**about, "best": best, "state": state, "share": share, "is_running": material.history.ended_s is None}

    def _up_to_date(self) -> Snapshot:
        is_replaced = self._follower.is_replaced()
        now_s = time.monotonic()
        if self._snapshot is not None and not is_replaced and now_s < self._not_before_s:
            return self._snapshot
        if is_replaced:
            self._events, self._importances, self._measured_trials = [], None, 0
        new = self._follower.new_events() if (self._run.folder / JOURNAL_FILE).exists() else []
        if self._snapshot is not None and not new and not is_replaced and not self._has_news():
            return self._snapshot
        self._events += new
        self._run = Run(self._run.folder, self._run.remote)
        self._snapshot = self._made()
        self._figures = {}
        self._not_before_s = time.monotonic() + _REST * (time.monotonic() - now_s)
        return self._snapshot

    def _has_news(self) -> bool:
        return self._snapshot is not None and self._snapshot.material.known_importances is not self._importances

    def _made(self) -> Snapshot:
        material = replace(Material.of(self._run, self._events), known_importances=self._importances, is_measured=True)
        groups = catalog(material)
        latest_s = self._events[-1].time_s if self._events else 0.0
        version = f"{len(self._events)}-{latest_s}-{id(self._importances)}"
        content = run_content(material, groups)
        whole = json_text({**content, "version": version, "latest_s": latest_s, "log": bool(self._events)})
        self._measure_later(material)
        return Snapshot(version, material, groups, whole)

    def _measure_later(self, material: Material) -> None:
        """Measure the importance of the parameters in a thread: nobody waits for it."""
        count = len(material.best_values)
        if self._measuring or count < max(LEAST_TRIALS, self._measured_trials * _GROWTH):
            return
        self._measuring, self._measured_trials = True, count

        def measure() -> None:
            try:
                self._importances = measure_importance(material.run, material.history)
            except RequestError:
                pass
            finally:
                self._measuring = False

        threading.Thread(target=measure, name="importance", daemon=True).start()
