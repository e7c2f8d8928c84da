"""Event files for TensorBoard: scalars and hyperparameters of each trial, written without TensorFlow."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.storage.layout import trial_name
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.engine.run_folder.tools import Tool
from tune_jobs.results import EpochReported, ParametersMet, TrialEnded, TrialStarted

if TYPE_CHECKING:
    from tensorboardX.event_file_writer import EventFileWriter

_PLAIN = (bool, int, float, str)
_OWN = re.compile(r"events\.out\.tfevents\.[\w.-]+")


class TensorBoard(Tool):
    """A callback that writes event files for TensorBoard, a folder a trial: ``FOLDER/RUN/0007``.

    ``tensorboard --logdir FOLDER`` shows all metrics of all epochs, and the tab HParams the configurations beside the
    objective. When a run is resumed, its files are written anew from the journal, so they are complete.

    Args:
        folder: The folder that ``tensorboard --logdir`` is given.

    Example:
        >>> import tune_jobs
        >>> callback = tune_jobs.TensorBoard("logs")
        >>> # tune_jobs.run(EXPERIMENT, callbacks=[callback])
    """

    KIND = "tensorboard"

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).absolute()  # the experiment may be run in another working folder
        self._writers: dict[int, EventFileWriter] = {}

    def settings(self) -> dict[str, Any]:
        """Return the folder."""
        return {"folder": str(self.folder)}

    def open(self, plan: Plan) -> None:
        """Remove the files of earlier sessions: all events are written again."""
        self._run_folder = self.folder / plan.name
        for path in self._run_folder.glob("*/events.out.tfevents.*"):
            if _OWN.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                path.unlink()

    def configure(self, event: TrialStarted | ParametersMet) -> None:
        """Write the hyperparameters of a trial."""
        from tensorboardX.summary import hparams

        values = {name: _plain(value) for name, value in event.config.items()}
        experiment, start, _ = hparams(values, {self._plan.metric: 0.0})
        for summary in (experiment, start):
            self._add(event.trial, summary, event.time_s, 0)

    def report(self, event: EpochReported) -> None:
        """Write the scalars of an epoch."""
        from tensorboardX.summary import scalar

        for name, value in event.metrics.items():
            self._add(event.trial, scalar(name, value, display_name=name), event.time_s, event.epoch)
        self._writers[event.trial].flush()

    def end_trial(self, event: TrialEnded) -> None:
        """Write that the trial has ended, and close its file."""
        from tensorboardX.summary import hparams

        _, _, end = hparams({}, {self._plan.metric: 0.0})
        self._add(event.trial, end, event.time_s, event.epochs or 0)
        self._writers.pop(event.trial).close()

    def close(self) -> None:
        """Close all files."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _add(self, trial: int, summary: Any, time_s: float, step: int) -> None:
        from tensorboardX.event_file_writer import EventFileWriter
        from tensorboardX.proto.event_pb2 import Event as FileEvent

        if trial not in self._writers:
            self._writers[trial] = EventFileWriter(str(self._run_folder / trial_name(trial)), flush_secs=2)
        self._writers[trial].add_event(FileEvent(wall_time=time_s, step=step, summary=summary))


def _plain(value: Any) -> Any:
    return value if isinstance(value, _PLAIN) else json.dumps(value)
