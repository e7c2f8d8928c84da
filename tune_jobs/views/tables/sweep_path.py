"""The path of a sweep, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from tune_jobs.analysis.sweep_path import Stage, State
from tune_jobs.views.tables.printing import new_table, print_line, print_table
from tune_jobs.views.text import clean, config_text, score

if TYPE_CHECKING:
    from rich.console import Console

_MISSING = "-"
_STYLES = {State.DONE: "", State.UNFINISHED: "yellow", State.SKIPPED: "dim", State.AHEAD: "dim"}


def print_path(console: Console, stages: Sequence[Stage], metric: str) -> None:
    """Print the path of a sweep: a row a step, and the configuration that it has reached.

    Args:
        console: The output.
        stages: The steps of the sweep.
        metric: The objective's metric.
    """
    table = new_table()
    for name in ("step", "parameters", "winner", "trial", clean(metric), "gain", "trials", "epochs"):
        table.add_column(name, justify="left" if name in ("parameters", "winner") else "right", overflow="fold")
    for stage in stages:
        table.add_row(*map(Text, path_row(stage)), style=_STYLES[stage.state])
    print_table(console, table)
    console.print()
    print_line(console, Text(destination(stages, metric), style="bold"))


def path_row(stage: Stage) -> tuple[str, ...]:
    """Return number, parameters, winner, winner's trial, objective, gain, trials and epochs of a step."""
    return (
        str(stage.number),
        ", ".join(map(clean, stage.names)),
        _winner(stage),
        _MISSING if stage.winner is None else str(stage.winner),
        score(stage.value),
        gain_text(stage.gain),
        str(len(stage.own)),
        str(stage.epochs),
    )


def destination(stages: Sequence[Stage], metric: str) -> str:
    """Return the configuration that a path has reached, and if it is the final one."""
    done = [stage for stage in stages if stage.winner is not None]
    if not done or done[-1].winner is None:
        return "No step is finished yet."
    last = done[-1]
    prefix = "so far" if any(stage.state in (State.UNFINISHED, State.AHEAD) for stage in stages) else "final"
    reached = f"trial {last.winner}, {clean(metric)} {score(last.value)}"
    return f"{prefix}: {reached}: {config_text(_config(last))}"


def gain_text(gain: float | None) -> str:
    """Return an improvement as "+0.01250", or 0 if there was none."""
    if gain is None:
        return _MISSING
    return "0" if gain == 0 else f"{'+' if gain > 0 else '-'}{score(abs(gain))}"


def _config(stage: Stage) -> Mapping[str, Any]:
    return stage.trials[stage.winner] if stage.winner is not None else {}


def _winner(stage: Stage) -> str:
    match stage.state:
        case State.UNFINISHED:
            return f"not finished: {stage.ended} of {stage.contenders} trials ended"
        case State.SKIPPED:
            return "skipped: not active"
        case State.AHEAD:
            return "not begun"
    if stage.winner is None:
        return _MISSING
    values = config_text(stage.values(stage.winner))
    return f"{values} (all trials failed)" if stage.value is None else values
