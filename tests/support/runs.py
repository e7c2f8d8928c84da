"""The one builder of run folders for tests: they are as the engine leaves them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support import fakes
from tune_jobs.engine.run_folder.create import create_folder
from tune_jobs.engine.run_folder.reporter import Reporter
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event, JournalWriter
from tune_jobs.results.layout import EXPERIMENT_FILE, JOURNAL_FILE
from tune_jobs.results.run import Repeat, Run


def make_run(
    storage: str | Path,
    name: str = "first",
    events: Iterable[Event] = (),
    *,
    experiment: Experiment | None = None,
    experiment_name: str = "fake",
    reference: str | None = None,
    repeat: Repeat | None = None,
    reporter: Reporter | None = None,
    record: Mapping[str, Any] | None = None,
) -> Run:
    """Make the folder of a run, with the record of its experiment and a journal.

    Args:
        storage: The folder of all runs.
        name: The name of the run.
        events: The events of the journal. They are written one by one, as the iterable yields them.
        experiment: The experiment; None: one whose trials are never trained.
        experiment_name: The experiment's name.
        reference: The reference by which the command line finds the experiment again.
        repeat: The position of the run in a group of repeats.
        reporter: Is told each event after it was written.
        record: Entries of experiment.json to replace, for a record that the engine would not write today.
    """
    declared = fakes.experiment() if experiment is None else experiment
    folder = create_folder(Path(storage), name, declared, experiment_name, reference, repeat)
    if record:
        path = folder / EXPERIMENT_FILE
        path.write_text(json.dumps({**json.loads(path.read_text()), **record}))
    with JournalWriter(folder / JOURNAL_FILE) as journal:
        for event in events:
            journal.write(event)
            if reporter:
                reporter.event(event)
    return Run(folder)
