"""Offline files for Weights & Biases, a run of theirs for each trial; ``wandb sync`` sends them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from trainables.storage.layout import trial_name
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.engine.run_folder.tools import Tool
from tune_jobs.results import EpochReported, ParametersMet, TrialEnded, TrialStarted

_REFUSED = re.compile(r"[^\w-]")


class WandB(Tool):
    """A callback that writes offline files for Weights & Biases: ``FOLDER/wandb/offline-run-…``, one folder a trial.

    Nothing is sent: ``wandb sync FOLDER/wandb/offline-run-*`` does that. When a run is resumed, its files are written
    anew from the journal, so they are complete.

    Args:
        folder: The folder for the files.
        project: The project of Weights & Biases.

    Example:
        >>> import tune_jobs
        >>> callback = tune_jobs.WandB("wandb-files")
        >>> # tune_jobs.run(EXPERIMENT, callbacks=[callback])
    """

    KIND = "wandb"

    def __init__(self, folder: Path | str, project: str = "tune-jobs") -> None:
        self.folder = Path(folder).absolute()  # the experiment may be run in another working folder
        self.project = project
        self._runs: dict[int, Any] = {}

    def settings(self) -> dict[str, Any]:
        """Return the folder and the project."""
        return {"folder": str(self.folder), "project": self.project}

    def open(self, plan: Plan) -> None:
        """Remove the files of earlier sessions: all events are written again."""
        self._prefix = _REFUSED.sub("-", plan.name)[:100]
        self.folder.mkdir(parents=True, exist_ok=True)
        own = re.compile(rf"offline-run-\d{{8}}_\d{{6}}-{re.escape(self._prefix)}-\d{{4,}}")
        for path in (self.folder / "wandb").glob("offline-run-*"):
            if own.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)

    def start_trial(self, event: TrialStarted) -> None:
        """Begin a run of theirs for a trial."""
        import wandb

        settings = wandb.Settings(
            console="off", silent=True, x_disable_stats=True, x_disable_meta=True, save_code=False
        )
        self._runs[event.trial] = wandb.init(
            project=self.project,
            mode="offline",
            dir=str(self.folder),
            id=f"{self._prefix}-{trial_name(event.trial)}",
            name=f"{self._plan.name} trial {event.trial}",
            group=self._plan.name,
            reinit="create_new",
            settings=settings,
        )

    def configure(self, event: TrialStarted | ParametersMet) -> None:
        """Write the configuration of a trial."""
        self._runs[event.trial].config.update(dict(event.config), allow_val_change=True)

    def report(self, event: EpochReported) -> None:
        """Write the metrics of an epoch."""
        if event.trial in self._runs:
            self._runs[event.trial].log({**event.metrics, "epoch": event.epoch}, step=event.epoch)

    def end_trial(self, event: TrialEnded) -> None:
        """Finish the run of a trial."""
        if event.trial in self._runs:
            run = self._runs.pop(event.trial)
            run.summary["status"] = event.status.value
            run.finish(exit_code=1 if event.error else 0)

    def close(self) -> None:
        """Close all files."""
        for run in self._runs.values():
            run.finish()
        self._runs.clear()
