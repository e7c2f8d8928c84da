"""The path that a sweep took, as a table to look at."""

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
    """Prints a path: a row a step, and the configuration that it has come to."""
    table = new_table()
    for name in ("step", "parameters", "winner", "trial", clean(metric), "gain", "trials", "epochs"):
        table.add_column(name, justify="left" if name in ("parameters", "winner") else "right", overflow="fold")
    for stage in stages:
        table.add_row(*map(Text, path_row(stage)), style=_STYLES[stage.state])
    print_table(console, table)
    console.print()
    print_line(console, Text(destination(stages, metric), style="bold"))


def path_row(stage: Stage) -> tuple[str, ...]:
    """A step's number, parameters, winner, its trial, objective and gain, and what the step took."""
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
    """The configuration that a path has come to; that it is the final one, when it is."""
    done = [stage for stage in stages if stage.winner is not None]
    if not done or done[-1].winner is None:
        return "No step is finished yet."
    last = done[-1]
    what = "so far" if any(stage.state in (State.UNFINISHED, State.AHEAD) for stage in stages) else "final"
    where = f"trial {last.winner}, {clean(metric)} {score(last.value)}"
    return f"{what}: {where}: {config_text(_config(last))}"


def gain_text(gain: float | None) -> str:
    """How much better something became: "+0.01250"; 0 when it stayed."""
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
    told = config_text(stage.values(stage.winner))
    return f"{told} (all trials failed)" if stage.value is None else told
