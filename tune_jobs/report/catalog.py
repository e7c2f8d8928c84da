"""The catalog of the figures that a page shows: their groups, their choices, and how each is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tune_jobs.report.figures.confusion import draw_confusion, has_confusion
from tune_jobs.report.figures.contour import draw_contour
from tune_jobs.report.figures.curves import draw_curves
from tune_jobs.report.figures.history import OVERS, draw_history
from tune_jobs.report.figures.parallel import draw_parallel
from tune_jobs.report.figures.parameters import MOST_PANELS, draw_importance, draw_slice
from tune_jobs.report.figures.rungs import draw_rungs
from tune_jobs.report.figures.timeline import draw_timeline
from tune_jobs.report.material import Material
from tune_jobs.results.evaluations import read_reports
from tune_jobs.views.text import clean

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_METRICS = 6
_MOST_PAIR_PARAMETERS = 4
_MOST_OUTPUTS = 8


@dataclass(frozen=True)
class Option:
    """One figure of a group.

    Attributes:
        key: The name by which the page asks for the figure.
        label: The words by which a person chooses it.
        draw: Draws it. It may raise a RequestError if there is nothing to draw.
    """

    key: str
    label: str
    draw: Callable[[], go.Figure]


@dataclass(frozen=True)
class Group:
    """Figures of one subject, of which the page shows one, or all side by side.

    Attributes:
        name: A name for files and for the page.
        title: The heading.
        options: The figures; at least one.
        choice: The words before the choice among them.
        help: How the figure is read.
        is_grid: Whether all options are shown side by side.
        is_wide: Whether the figure needs more width than a telephone has.
    """

    name: str
    title: str
    options: tuple[Option, ...]
    choice: str = ""
    help: str = ""
    is_grid: bool = False
    is_wide: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the group as the page needs it."""
        options = [{"key": option.key, "label": option.label} for option in self.options]
        shown = {"name": self.name, "title": self.title, "choice": self.choice, "help": self.help}
        return {**shown, "is_grid": self.is_grid, "is_wide": self.is_wide, "options": options}


def catalog(material: Material) -> list[Group]:
    """Return the groups of figures that can be drawn of a run as it is now.

    Args:
        material: The material of the run.
    """
    if not material.history.trials:
        return []
    groups = [*_of_search(material), *_of_parameters(material), *_of_trials(material), *_of_test(material)]
    return [group for group in groups if group.options]


def options_by_key(groups: Sequence[Group]) -> Mapping[str, Option]:
    """Return all figures of some groups by key."""
    return {option.key: option for group in groups for option in group.options}


def _of_search(material: Material) -> list[Group]:
    history = [Option(f"history/{over}", over, partial(draw_history, material, over)) for over in OVERS]
    curves = [
        Option(f"curves/{metric}", clean(metric), partial(draw_curves, material, metric))
        for metric in material.metrics[:_MOST_METRICS]
    ]
    stops = "Dotted lines are rungs. A double click shows values that lie outside." if material.rungs else ""
    return [
        Group("history", "Progress", tuple(history), "Against", "A point is a trial at its best epoch."),
        Group("curves", "Learning curves", tuple(curves), "Metric", f"A click on a curve opens its trial. {stops}"),
    ]


def _of_parameters(material: Material) -> list[Group]:
    if not material.axes:
        return []
    parallel = Option("parallel", "all", partial(draw_parallel, material))
    slices = [
        Option(f"slice/{axis.label}", clean(axis.label), partial(draw_slice, material, [axis.label]))
        for axis in material.axes_by_importance[:MOST_PANELS]
    ]
    first = material.axes_by_importance[:_MOST_PAIR_PARAMETERS]
    pairs = [
        Option(
            f"contour/{across.label}/{upwards.label}",
            f"{clean(across.label)} and {clean(upwards.label)}",
            partial(draw_contour, material, across.label, upwards.label),
        )
        for index, across in enumerate(first)
        for upwards in first[index + 1 :]
    ]
    importance = Option("importance", "importance", partial(draw_importance, material))
    how = (
        "What a model of the objective loses when the values of a parameter are exchanged between the trials in which "
        "it is active. Whiskers: standard deviation over samples of the trials."
    )
    return [
        Group("importance", "Importance of the parameters", (importance,) if material.importances else (), help=how),
        Group(
            "parallel",
            "Parallel coordinates",
            (parallel,),
            help="A line is a trial. Drag along an axis to keep only the trials that pass there.",
            is_wide=True,
        ),
        Group("slice", "Each parameter", tuple(slices), is_grid=True),
        Group("contour", "Pairs of parameters", tuple(pairs), "Pair", "The ground is what the trials nearby reached."),
    ]


def _of_trials(material: Material) -> list[Group]:
    has_rungs = bool(material.rungs) and any(
        material.rungs[0] in trial.epochs for trial in material.history.trials.values()
    )
    rungs = [Option("rungs", "rungs", partial(draw_rungs, material))] if has_rungs else []
    timeline = Option("timeline", "timeline", partial(draw_timeline, material))
    return [
        Group("rungs", "Rungs", tuple(rungs), help="How many trials reached each rung, and what became of them."),
        Group("timeline", "Timeline", (timeline,), help="In a gap, a worker had no trial.", is_wide=True),
    ]


def _of_test(material: Material) -> list[Group]:
    if not material.ranked_trials:
        return []
    trial = material.ranked_trials[0].trial
    reports = {
        name: report for name, report in read_reports(material.run.folder, trial).items() if has_confusion(report)
    }
    options = [
        Option(f"confusion/{index}", clean(name), partial(draw_confusion, report, name, trial))
        for index, (name, report) in enumerate(list(reports.items())[:_MOST_OUTPUTS])
    ]
    return [Group("confusion", "Confusion matrix", tuple(options), "Output", is_wide=False)]
