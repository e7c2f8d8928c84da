"""The path of a sweep, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from tune_jobs.analysis.sweep_path import StepResult, StepState
from tune_jobs.views.tables.printing import new_table, print_line, print_table
from tune_jobs.views.text import clean, config_text, score

if TYPE_CHECKING:
    from rich.console import Console

_MISSING = "-"
_STYLES = {StepState.DONE: "", StepState.UNFINISHED: "yellow", StepState.SKIPPED: "dim", StepState.AHEAD: "dim"}


def print_path(console: Console, steps: Sequence[StepResult], metric: str) -> None:
    """Print the path of a sweep: a row a step, and the configuration that it has reached.

    Args:
        console: The output.
        steps: The steps of the sweep.
        metric: The objective's metric.
    """
    table = new_table()
    for name in ("step", "parameters", "winner", "trial", clean(metric), "gain", "trials", "epochs"):
        table.add_column(name, justify="left" if name in ("parameters", "winner") else "right", overflow="fold")
    for step in steps:
        table.add_row(*map(Text, path_row(step)), style=_STYLES[step.state])
    print_table(console, table)
    console.print()
    print_line(console, Text(destination(steps, metric), style="bold"))


def path_row(step: StepResult) -> tuple[str, ...]:
    """Return number, parameters, winner, winner's trial, objective, gain, trials and epochs of a step."""
    return (
        str(step.number),
        ", ".join(map(clean, step.names)),
        _winner(step),
        _MISSING if step.winner is None else str(step.winner),
        score(step.value),
        gain_text(step.gain),
        str(len(step.own)),
        str(step.epochs),
    )


def destination(steps: Sequence[StepResult], metric: str) -> str:
    """Return the configuration that a path has reached, and if it is the final one."""
    done = [step for step in steps if step.winner is not None]
    if not done or done[-1].winner is None:
        return "No step is finished yet."
    last = done[-1]
    prefix = "so far" if any(step.state in (StepState.UNFINISHED, StepState.AHEAD) for step in steps) else "final"
    reached = f"trial {last.winner}, {clean(metric)} {score(last.value)}"
    return f"{prefix}: {reached}: {config_text(_config(last))}"


def gain_text(gain: float | None) -> str:
    """Return an improvement as "+0.01250", or 0 if there was none."""
    if gain is None:
        return _MISSING
    return "0" if gain == 0 else f"{'+' if gain > 0 else '-'}{score(abs(gain))}"


def _config(step: StepResult) -> Mapping[str, Any]:
    return step.trials[step.winner] if step.winner is not None else {}


def _winner(step: StepResult) -> str:
    match step.state:
        case StepState.UNFINISHED:
            return f"not finished: {step.ended} of {step.contenders} trials ended"
        case StepState.SKIPPED:
            return "skipped: not active"
        case StepState.AHEAD:
            return "not begun"
    if step.winner is None:
        return _MISSING
    values = config_text(step.values(step.winner))
    return f"{values} (all trials failed)" if step.value is None else values
