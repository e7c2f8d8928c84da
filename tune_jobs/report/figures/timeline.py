"""The figure of the time: which trial had which worker when, and when workers had none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tune_jobs.analysis.stints import Stint, measure_occupation
from tune_jobs.base.words import quantity
from tune_jobs.errors import RequestError
from tune_jobs.report.figures.style import LINE, STATUS_COLOURS, axis, new_figure, text
from tune_jobs.report.material import Material
from tune_jobs.results.journal.events import Status
from tune_jobs.views.text import duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_BARS = 1500
_MOST_LANES = 64
_SHORTEST = 1 / 800  # of the whole time: a shorter gap cannot be seen
_LANE_PX = 22


def draw_timeline(material: Material) -> go.Figure:
    """Return the figure of the trials on their workers, a lane a worker, against the seconds of running.

    Args:
        material: The material of the run.

    Raises:
        RequestError: No trial has started yet.
    """
    occupation = measure_occupation(material.events)
    if not occupation.stints:
        raise RequestError("No trial has started yet.")
    lanes = sorted({(stint.node, stint.slot) for stint in occupation.stints})
    shown = lanes[:_MOST_LANES]
    stints = [stint for stint in occupation.stints if (stint.node, stint.slot) in set(shown)]
    blocks = [[stint] for stint in stints] if len(stints) <= _MOST_BARS else _merged(stints, occupation.seconds)
    notes = [
        f"{quantity(len(lanes), 'worker')}, {occupation.busy:.0%} of their time with a trial, "
        f"{occupation.training:.0%} in epochs"
    ]
    if len(shown) < len(lanes):
        notes.append(f"drawn: {len(shown)} workers")
    if len(blocks) < len(stints):
        notes.append("neighbouring trials are drawn as one block")
    figure = new_figure("Trials by worker", ", ".join(notes), height=150 + _LANE_PX * max(3, len(shown)))
    names = {lane: _lane_name(lane, shown) for lane in shown}
    largest = max((stint.gpus or 0.0 for stint in stints), default=0.0)
    for status in dict.fromkeys(block[0].status for block in blocks):
        of_status = [block for block in blocks if block[0].status is status]
        figure.add_bar(
            orientation="h",
            name=status.value,
            y=[names[block[0].node, block[0].slot] for block in of_status],
            base=[block[0].start_s for block in of_status],
            x=[block[-1].end_s - block[0].start_s for block in of_status],
            width=[0.85 if not largest else 0.35 + 0.5 * (block[0].gpus or 0.0) / largest for block in of_status],
            marker={"color": STATUS_COLOURS[status], "line": {"width": 0.5, "color": "rgba(255,255,255,0.7)"}},
            customdata=[block[0].trial for block in of_status],
            text=[_hover(block) for block in of_status],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )
    for moment in occupation.restarts[:20]:
        figure.add_vline(x=moment, line={"color": LINE, "width": 1, "dash": "dash"})
    order = [names[lane] for lane in reversed(shown)]
    return figure.update_layout(
        barmode="overlay",
        xaxis=axis("seconds of running"),
        yaxis=axis("", type="category", categoryorder="array", categoryarray=order),
    )


def _merged(stints: Sequence[Stint], seconds: float) -> list[list[Stint]]:
    """Return blocks of stints that follow each other on one worker so closely that no gap could be seen."""
    blocks: dict[tuple[str, int, Status], list[list[Stint]]] = {}
    for stint in stints:
        of_lane = blocks.setdefault((stint.node, stint.slot, stint.status), [])
        last = of_lane[-1] if of_lane else None
        is_near = last is not None and stint.start_s - last[-1].end_s < seconds * _SHORTEST
        if last is not None and is_near and last[0].gpus == stint.gpus:
            last.append(stint)
        else:
            of_lane.append([stint])
    return [block for of_lane in blocks.values() for block in of_lane]


def _hover(block: Sequence[Stint]) -> str:
    first, last = block[0], block[-1]
    trials = f"trial {first.trial}" if len(block) == 1 else f"{len(block)} trials, {first.trial} to {last.trial}"
    gpus = "" if first.gpus is None else f", {first.gpus:g} GPUs"
    return f"{trials}: {first.status.value}, {duration(last.end_s - first.start_s)}<br>{text(first.node)}{gpus}"


def _lane_name(lane: tuple[str, int], lanes: Sequence[tuple[str, int]]) -> str:
    node, slot = lane
    if len({name for name, _ in lanes}) == 1:
        return f"worker {slot + 1}"
    return f"{text(node, 20)} {slot + 1}"
