"""Event files for TensorBoard: scalars and hyperparameters of each trial, written without TensorFlow."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.storage.layout import trial_name
from tune_jobs.engine.run_folder.callbacks import Callback
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.results import EpochReported, Event, TrialEnded, TrialStarted

if TYPE_CHECKING:
    from tensorboardX.event_file_writer import EventFileWriter

_PLAIN = (bool, int, float, str)
_OWN = re.compile(r"events\.out\.tfevents\.[\w.-]+")


class TensorBoard(Callback):
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

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._writers: dict[int, EventFileWriter] = {}
        self._best: dict[int, float] = {}

    def begin(self, plan: Plan) -> None:
        """Write the events of earlier sessions."""
        self._plan = plan
        self._run_folder = self.folder / plan.name
        for path in self._run_folder.glob("*/events.out.tfevents.*"):
            if _OWN.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                path.unlink()
        for event in plan.earlier:
            self.event(event)

    def event(self, event: Event) -> None:
        """Write the scalars of an epoch, or the hyperparameters of a trial."""
        match event:
            case TrialStarted():
                self._start(event)
            case EpochReported():
                self._report(event)
            case TrialEnded() if event.trial in self._writers:
                self._end(event)

    def end(self) -> None:
        """Close all files."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _writer(self, trial: int) -> EventFileWriter:
        from tensorboardX.event_file_writer import EventFileWriter

        if trial not in self._writers:
            self._writers[trial] = EventFileWriter(str(self._run_folder / trial_name(trial)), flush_secs=2)
        return self._writers[trial]

    def _start(self, event: TrialStarted) -> None:
        from tensorboardX.summary import hparams

        values = {name: _plain(value) for name, value in event.config.items()}
        experiment, start, _ = hparams(values, {self._plan.metric: 0.0})
        for summary in (experiment, start):
            self._add(event.trial, summary, event.time_s, 0)

    def _report(self, event: EpochReported) -> None:
        from tensorboardX.summary import scalar

        for name, value in event.metrics.items():
            self._add(event.trial, scalar(name, value, display_name=name), event.time_s, event.epoch)
        self._writers[event.trial].flush()

    def _end(self, event: TrialEnded) -> None:
        from tensorboardX.summary import hparams

        _, _, end = hparams({}, {self._plan.metric: 0.0})
        self._add(event.trial, end, event.time_s, event.epochs or 0)
        self._writers.pop(event.trial).close()

    def _add(self, trial: int, summary: Any, time_s: float, step: int) -> None:
        from tensorboardX.proto.event_pb2 import Event as FileEvent

        self._writer(trial).add_event(FileEvent(wall_time=time_s, step=step, summary=summary))


def _plain(value: Any) -> Any:
    return value if isinstance(value, _PLAIN) else json.dumps(value)
