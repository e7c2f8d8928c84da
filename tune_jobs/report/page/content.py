"""The content of a run's page as JSON values: result, request, leaderboard, trials, failures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from search_spaces import InvalidDeclaration
from tune_jobs.report.catalog import Group
from tune_jobs.report.figures.style import text
from tune_jobs.report.figures.thinning import evenly
from tune_jobs.report.logs import trial_log
from tune_jobs.report.material import Material
from tune_jobs.results.evaluations import Scores, on_test_set
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.journal.events import Status
from tune_jobs.results.leaderboard import columns_of, leaderboard, metrics_note
from tune_jobs.views.summary import totals_text
from tune_jobs.views.text import clean, config_text, duration, error_text, moment, note_text, number, score

if TYPE_CHECKING:
    import pandas as pd

_FIXED = ("rank", "trial", "status", "best_epoch", "epochs", "seconds", "feasible", "node", "error")
_HIDDEN = ("node", "error")
_MOST_SHOWN = 14
_MOST_VALUES = 400_000
_MOST_EPOCHS = 200
_MOST_TRIALS_NAMED = 12
_MOST_NOTES = 20
_MOST_LOGS = 50
_LONGEST_LOG = 4000
_BROKEN = (Status.FAILED, Status.DIVERGED, Status.OUT_OF_MEMORY)
_ASKED = (
    ("experiment", "experiment"),
    ("trainable", "trainable"),
    ("searcher", "searcher"),
    ("scheduler", "scheduler"),
    ("trials", "trials"),
    ("max_epochs", "epochs of a trial"),
    ("total_epochs", "epochs in all"),
    ("time_budget_s", "seconds"),
    ("executions", "executions"),
    ("fraction", "part of the data"),
    ("resources", "resources of a trial"),
    ("max_concurrent_trials", "trials at a time"),
    ("seed", "seed"),
)


def run_content(material: Material, groups: Sequence[Group]) -> dict[str, Any]:
    """Return what the page says of a run, without its figures and its trials.

    Args:
        material: The material of the run.
        groups: The groups of its figures.
    """
    run, history = material.run, material.history
    scores, notes = run.test_scores(history)
    frame = leaderboard(history, material.objective, columns_of(run.space), scores)
    parameters = {column.label for column in columns_of(run.space)}
    left_out = metrics_note(history, material.objective)
    state, kind = _state(material)
    more = [note_text(note) for note in history.notes]
    hidden = len(more) - _MOST_NOTES
    return {
        "name": clean(run.name),
        "metric": clean(material.metric),
        "state": state,
        "state_kind": kind,
        "best": _best(material, scores),
        "asked": _asked(run.experiment),
        "space": _space_text(material),
        "notes": [
            *map(clean, [*history.damages, *notes, *([left_out] if left_out else [])]),
            *([f"{hidden:,} more notes are in the journal."] if hidden > 0 else []),
            *more[-_MOST_NOTES:],
        ],
        "columns": _columns(frame, parameters, on_test_set(material.metric)),
        "rows": _rows(frame),
        "failures": _failures(material),
        "groups": [group.to_json() for group in groups],
    }


def curve_metrics(material: Material) -> list[dict[str, str]]:
    """Return the metrics whose curves the page has for each trial: the name, and the label for plotly."""
    count = sum(len(trial.epochs) for trial in material.history.trials.values()) or 1
    most = max(1, min(8, _MOST_VALUES // count))
    return [{"name": metric, "label": text(metric)} for metric in _preferred(material)[:most]]


def trials_content(material: Material) -> dict[str, Any]:
    """Return all trials by number, with their curves as far as there is room for them: the best trials first."""
    metrics = [metric["name"] for metric in curve_metrics(material)]
    room, logs = _MOST_VALUES, 0
    trials: dict[str, Any] = {}
    for row in material.ranked:
        trial = row.trial
        room -= len(metrics) * min(len(trial.epochs), _MOST_EPOCHS)
        content = trial_content(material, trial, metrics if room >= 0 else [])
        if trial.error and logs < _MOST_LOGS:
            content["log"] = trial_log(material, trial)[-_LONGEST_LOG:]
            logs += 1
        if room < 0:
            content["note"] = "There is no room for its curves in this file: tune-jobs view shows them."
        trials[str(trial.trial)] = content
    return trials


def trial_content(material: Material, trial: TrialHistory, metrics: Sequence[str]) -> dict[str, Any]:
    """Return what the page says of one trial.

    Args:
        material: The material of the run.
        trial: The trial.
        metrics: The metrics whose curves are wanted.
    """
    epochs = evenly(list(trial.epochs.values()), _MOST_EPOCHS)
    best = trial.best(material.objective)
    facts = [
        ("status", f"{trial.status.value}: {clean(trial.reason)}" if trial.reason else trial.status.value),
        (
            clean(material.metric),
            f"{score(best.metrics[material.metric])} at epoch {best.epoch}" if best else "none",
        ),
        ("epochs", f"{len(trial.epochs):,}, {duration(trial.seconds)} of training"),
        ("started", f"{moment(trial.started_s)} on {clean(trial.node)}"),
    ]
    return {
        "config": {clean(name): plain(value) for name, value in trial.config.items()},
        "facts": facts,
        "error": error_text(trial.error) if trial.error else None,
        "epochs": [epoch.epoch for epoch in epochs],
        "values": [[_rounded(epoch.metrics.get(metric)) for epoch in epochs] for metric in metrics],
        "note": "" if len(epochs) == len(trial.epochs) else f"drawn: {len(epochs)} of {len(trial.epochs):,} epochs",
    }


def plain(value: Any) -> Any:
    """Return a JSON value without what a standard JSON text cannot hold, and without characters that steer."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return value if value.isprintable() else clean(value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {clean(name): plain(each) for name, each in value.items()}
    return value


def _preferred(material: Material) -> list[str]:
    first = [name for name in ("val_loss", "loss") if name in material.metrics]
    return list(dict.fromkeys([*material.metrics[:2], *first, *material.metrics]))


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def _state(material: Material) -> tuple[str, str]:
    history = material.history
    if history.ended_s is None:
        return f"{totals_text(history) or 'nothing yet'}. It goes on, or was killed.", "running"
    ended = f"{totals_text(history)}. Ended: {clean(history.reason)}"
    return (f"{ended}: {error_text(history.error)}", "failed") if history.error else (f"{ended}.", "ended")


def _best(material: Material, scores: Mapping[int, Scores]) -> dict[str, Any] | None:
    row = next((row for row in material.ranked if row.best is not None), None)
    if row is None or row.best is None:
        return None
    tested = scores[row.trial.trial].metrics if row.trial.trial in scores else {}
    return {
        "trial": row.trial.trial,
        "epoch": row.best.epoch,
        "value": score(row.best.metrics[material.metric]),
        "config": config_text(row.trial.config),
        "scores": [(clean(on_test_set(name)), score(value)) for name, value in list(tested.items())[:6]],
    }


def _asked(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("begun", moment(record["created_s"]))]
    for name, label in _ASKED:
        value = record.get(name)
        if value is not None:
            facts.append((label, _setting(value)))
    versions = record.get("versions")
    if isinstance(versions, dict):
        facts.append(("versions", ", ".join(f"{clean(name)} {clean(value)}" for name, value in versions.items())))
    return facts


def _setting(value: Any) -> str:
    if not isinstance(value, dict):
        return clean(value)
    rest = {name: each for name, each in value.items() if name != "kind" and each is not None}
    settings = ", ".join(f"{clean(name)}={clean(json.dumps(each, default=str))}" for name, each in rest.items())
    kind = clean(value.get("kind", ""))
    return f"{kind} ({settings})" if kind and settings else kind or settings


def _space_text(material: Material) -> str:
    try:
        return "\n".join(clean(line) for line in str(material.run.space).splitlines())
    except InvalidDeclaration as error:
        return clean(error)


def _columns(frame: pd.DataFrame, parameters: set[str], test: str) -> list[dict[str, Any]]:
    import pandas as pd

    objective = str(frame.columns[3])
    shown: list[str] = []
    for name in map(str, frame.columns):
        is_filled = bool(frame[name].notna().any())
        matters = name in (*_FIXED, objective, test) or name in parameters
        if matters and is_filled and name not in _HIDDEN and len(shown) < _MOST_SHOWN:
            shown.append(name)
    return [
        {
            "name": clean(name),
            "is_number": bool(pd.api.types.is_any_real_numeric_dtype(frame[name].dtype)),
            "is_shown": str(name) in shown,
        }
        for name in frame.columns
    ]


def _rows(frame: pd.DataFrame) -> list[list[Any]]:
    columns = [[_cell(value) for value in column.tolist()] for _, column in frame.items()]
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(value: Any) -> Any:
    import pandas as pd

    if value is None or value is pd.NA:
        return None
    if isinstance(value, float):
        return _rounded(value) if math.isfinite(value) else number(value)
    if isinstance(value, bool):
        return str(value)
    return value if isinstance(value, int) else clean(value if isinstance(value, str) else json.dumps(plain(value)))


def _failures(material: Material) -> list[dict[str, Any]]:
    """Return the reasons of failures, the most frequent first."""
    groups: dict[tuple[str, str], list[int]] = {}
    for trial in material.history.trials.values():
        if trial.status in _BROKEN:
            reason = error_text(trial.error or trial.reason or "no reason was recorded")
            groups.setdefault((trial.status.value, reason), []).append(trial.trial)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    return [
        {"status": status, "reason": reason, "count": len(trials), "trials": trials[:_MOST_TRIALS_NAMED]}
        for (status, reason), trials in ordered[:100]
    ]
