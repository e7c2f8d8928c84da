"""The recorder of a run: it writes each event to the journal, and then tells everybody else who needs it.

Four names stand for one pipe. From the decision to the screen, an event passes

1. the **event log** (``engine.decisions.event_log``), the interface to which the coordinator hands every event. The
   coordinator stops at the first event that cannot be written, so that the journal has no gap;
2. the **recorder** (this module), which decides the order: journal, weights to delete, reporter;
3. the **journal** (``results.journal``), the file in which the event is kept. What is in it is a fact;
4. the **reporter** (``engine.run_folder.reporter``), which shows the event to people, and may fail without harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from trainables.storage.checkpoint import DiskCheckpoints
from trainables.storage.layout import trial_name
from trainables.storage.own_files import is_own_kind, write_own
from tune_jobs.base.plain_text import plain_text
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.engine.run_folder.callbacks import Audience, Callback
from tune_jobs.engine.run_folder.reporter import Plan, Reporter
from tune_jobs.results import Event, JournalWriter, Noted
from tune_jobs.results.layout import JOURNAL_FILE, error_file

Check = Callable[[], object]
_LOG = logging.getLogger(__name__)


class CheckpointPruner:
    """The pruner of a run, which deletes the weights that a retention policy does not keep.

    Args:
        policy: The policy.
        folder: The folder of all trials.
        remove: Deletes the weights of trials that lie elsewhere than in the folder; None: they lie in it.
    """

    def __init__(
        self, policy: RetentionPolicy, folder: Path, remove: Callable[[Sequence[int]], object] | None = None
    ) -> None:
        self._policy = policy
        self._folder = folder
        self._remove_elsewhere = remove

    def event(self, event: Event) -> None:
        """Delete the weights that are not kept any longer after an event, which the journal has already."""
        self._remove(self._policy.to_delete_after(event))

    def end(self) -> None:
        """Delete all weights that are not kept: a worker may have written some after its trial lost its weights."""
        self._remove(self._policy.all_to_delete())

    def _remove(self, trials: list[int]) -> None:
        if self._remove_elsewhere is not None:
            self._remove_elsewhere(trials)
            return
        for trial in trials:
            DiskCheckpoints(self._folder / trial_name(trial)).remove()


class Recorder:
    """The writer of a run's journal and of its trials' tracebacks.

    Args:
        folder: The run's folder.
        reporter: The reporter that shows the progress; None: nobody watches.
        pruner: The pruner that deletes weights which are no longer needed.
        check: Raises OSError if the folder's content no longer reaches the object store in which the run lies; None if
            the run lies in the folder.
        callbacks: Objects that are told every event, and whose errors are notes.

    Attributes:
        torn_bytes: The length of a torn last line that was cut off the journal.
    """

    def __init__(
        self,
        folder: Path,
        reporter: Reporter | None,
        pruner: CheckpointPruner,
        check: Check | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self._folder = folder
        self._pruner = pruner
        self._check = check
        self._journal = JournalWriter(folder / JOURNAL_FILE)
        self._reporter = reporter
        self._audience = Audience(callbacks)
        self._early: list[str] = []
        self.torn_bytes = self._journal.torn_bytes

    def begin(self, plan: Plan) -> None:
        """Announce what is known before the first event.

        Args:
            plan: The plan of the run, with the events of earlier sessions.
        """
        for event in plan.earlier:
            self._pruner.event(event)
        self._report(lambda reporter: reporter.begin(plan))
        self._early += self._audience.tell(lambda callback: callback.begin(plan))

    def event(self, event: Event) -> None:
        """Write an event to the journal, then pass it on.

        Args:
            event: The event.

        Raises:
            JournalError: The event cannot be written as a line.
            OSError: The journal cannot be written, or the run no longer reaches its object store.
        """
        if self._check is not None:
            self._check()
        self._keep(event)
        problems, self._early = [*self._early, *self._audience.tell(lambda callback: callback.event(event))], []
        for problem in problems:
            self._keep(Noted(time_s=event.time_s, trial=None, text=problem))

    def _keep(self, event: Event) -> None:
        self._journal.write(event)
        _LOG.debug("%s", event)
        if isinstance(event, Noted):  # a retry, a node that came or went, a checkpoint that was given up
            _LOG.info("%s%s", "" if event.trial is None else f"trial {event.trial}: ", event.text)
        self._pruner.event(event)
        self._report(lambda reporter: reporter.event(event))

    def traceback(self, trial: int, text: str) -> None:
        """Write the whole traceback of a trial that failed. The journal has only its last line.

        Args:
            trial: The number of the trial.
            text: The traceback.
        """
        path = error_file(self._folder, trial)
        with suppress(OSError):  # a full disk: if it stays full, the journal fails and says so
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_own_kind(path.parent, is_folder=True):
                write_own(path, plain_text(text).encode(errors="replace"))

    def close(self) -> None:
        """Close the journal, once no worker is left."""
        self._journal.close()
        self._pruner.end()
        self._report(lambda reporter: reporter.end())
        for problem in self._audience.tell(lambda callback: callback.end()):
            _LOG.warning("%s", problem)  # the journal is closed

    def _report(self, tell: Callable[[Reporter], None]) -> None:
        if self._reporter is None:
            return
        try:
            tell(self._reporter)
        except Exception:  # noqa: BLE001 - a screen that went away (a closed pipe) must not end hours of training
            self._reporter = None
