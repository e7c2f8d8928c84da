"""The scores of models on the test set, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.base.words import quantity
from tune_jobs.evaluation.reports import Classification, Regression, Report
from tune_jobs.experiment.fields import FIELDS
from tune_jobs.views.summary import best_text, shown_folder
from tune_jobs.views.tables.confusion import confusion_lines
from tune_jobs.views.tables.leaderboard import print_leaderboard
from tune_jobs.views.tables.printing import print_line
from tune_jobs.views.text import clean, score

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from trainables.report import Epoch
    from tune_jobs.evaluation.evaluate import Evaluation
    from tune_jobs.evaluation.export import Exported
    from tune_jobs.evaluation.refit import Refitted
    from tune_jobs.evaluation.scoring import Scored
    from tune_jobs.results.run import Run

_FIRST = 5  # rank, trial, status, the objective, best_epoch
_WIDTH_OF_FILES = 200


def print_evaluations(console: Console, evaluations: Sequence[Evaluation]) -> None:
    """Print a table of several evaluations, then the whole report of the first.

    Args:
        console: The output.
        evaluations: At least one, the best trial first. They may belong to several runs.
    """
    if len(evaluations) > 1:
        print_leaderboard(console, summary(evaluations))
        console.print()
    best = evaluations[0]
    metric = best.run.objective.metric
    run = f"{clean(best.run.name)}, " if len({each.run.name for each in evaluations}) > 1 else ""
    print_line(console, f"{run}{best_text(best.ranked, metric)}")
    print_scored(console, best.scored)
    for note in notes(evaluations):
        print_line(console, f"note: {note}")
    print_line(console, f"written to {', '.join(clean(shown_folder(each.path)) for each in evaluations)}")


def print_scored(console: Console, scored: Scored) -> None:
    """Print loss, metrics and reports of a model."""
    metrics = ", ".join(f"{clean(name)} {score(value)}" for name, value in scored.metrics.items())
    print_line(console, f"test set, {quantity(scored.examples, 'example')}: {metrics}")
    for name, report in scored.reports.items():
        title = f"{clean(name)}: " if len(scored.reports) > 1 else ""
        for line in _report_lines(report, title, console.width if console.is_terminal else _WIDTH_OF_FILES):
            print_line(console, line)


def epoch_line(epoch: Epoch, epochs: int) -> str:
    """Return one line about an epoch of a refit."""
    metrics = ", ".join(f"{clean(name)} {score(value)}" for name, value in epoch.metrics.items())
    return f"epoch {epoch.number} of {epochs}: {metrics} ({epoch.seconds:.1f} s)"


def print_refitted(console: Console, refitted: Refitted, run: Run, file: Path) -> None:
    """Print the result of a refit."""
    if refitted.left_out:
        callbacks = ", ".join(map(clean, refitted.left_out))
        print_line(console, f"left out, because they watch a validation metric and there is no validation: {callbacks}")
    source = "training and validation data together"
    examples = source if refitted.examples is None else quantity(refitted.examples, "example")
    trained = f"{quantity(refitted.epochs, 'epoch')} on {examples}"
    print_line(console, f"the configuration of {best_text(refitted.ranked, run.objective.metric)}")
    print_line(console, f"trained again for {trained}")
    fraction = FIELDS["fraction"].recorded_json(run.experiment)
    if fraction != 1.0:
        print_line(console, f"note: the search used a part ({clean(fraction)}) of these: its epochs were shorter.")
    if refitted.scored is None:
        print_line(console, "load_data returned no test set: it was not evaluated.")
    else:
        print_scored(console, refitted.scored)
    for line in _file_lines(file, refitted.notes):
        print_line(console, line)


def exported_lines(exported: Exported, run: Run, file: Path) -> list[str]:
    """Return lines about an exported model."""
    lines = [best_text(exported.ranked, run.objective.metric)]
    best = exported.ranked.best
    if best and exported.epoch != best.epoch:
        lines.append(f"note: its newest weights are of epoch {exported.epoch}: these were written.")
    return lines + _file_lines(file, exported.notes)


def _file_lines(file: Path, notes: Sequence[str]) -> list[str]:
    file_name = clean(file)
    return [
        *(f"note: {clean(note)}" for note in notes),
        f"written to {file_name}: keras.models.load_model({file_name!r})",
    ]


def notes(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return sentences about how to read the scores."""
    sentences = []
    if any(FIELDS["executions"].recorded_json(each.run.experiment) != 1 for each in evaluations):
        sentences.append(
            "the objective is the mean of several executions, the scores are those of the best one's weights."
        )
    if any(each.scored.is_weighted for each in evaluations):
        sentences.append(
            "the loss and weighted metrics count the test set's sample weights, the report counts examples."
        )
    for each in evaluations:
        best, trial = each.ranked.best, each.ranked.trial.trial
        if best and each.epoch != best.epoch:
            sentences.append(
                f"trial {trial} of {clean(each.run.name)} was best at epoch {best.epoch}, but its newest weights are "
                f"of epoch {each.epoch}: the leaderboard does not show these scores."
            )
    running = {clean(each.run.name): None for each in evaluations if each.run.history().ended_s is None}
    sentences += [
        f"{name} has not ended (it is running, or was killed): its best trials may change." for name in running
    ]
    return sentences


def summary(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return the leaderboard rows of these trials with their test scores. Several runs add a column for the run."""
    import pandas as pd

    runs = {each.run.folder: each.run for each in evaluations}
    parts = []
    for folder, run in runs.items():
        trials = [each.ranked.trial.trial for each in evaluations if each.run.folder == folder]
        frame = run.leaderboard()
        part = frame[frame["trial"].isin(trials)]
        tested = [name for name in frame.columns[_FIRST:] if str(name).startswith("test_")]
        part = part[[*frame.columns[:_FIRST], *tested]]
        parts.append(part.assign(run=run.name) if len(runs) > 1 else part)
    return pd.concat(parts, ignore_index=True)


def _report_lines(report: Report, title: str, width: int) -> list[str]:
    if isinstance(report, Classification):
        matrix = confusion_lines(report, width)
        table = [clean(line.rstrip()) for line in report.text().splitlines()]
        return ["", f"{title}classification report:", *table, "", f"{title}{matrix[0]}", *matrix[1:], ""]
    if isinstance(report, Regression):
        return [f"{title}MAE {score(report.mae)}, RMSE {score(report.rmse)}, R2 {score(report.r2)}"]
    return [f"{title}no further report: {clean(report.reason)}."]
