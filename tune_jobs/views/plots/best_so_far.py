"""The picture of a comparison: the best objective so far, over epochs and over seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.analysis.comparison.bands import Band, find_limits, make_band
from tune_jobs.base.words import quantity
from tune_jobs.views.plots.canvas import new_figure, plain, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tune_jobs.analysis.comparison import Comparison
    from tune_jobs.analysis.comparison.outcomes import Strategy

_LEGEND_LETTERS = 110  # of a row as wide as the picture


def draw(comparison: Comparison, output: Path) -> None:
    """Draw the best objective so far of each strategy into a file.

    A strategy with repeats is drawn as the median between the quartiles.

    Args:
        comparison: The strategies.
        output: The file. It is replaced if it exists.

    Raises:
        RequestError: The file cannot be written. Nothing was written then.
    """
    save(figure(comparison), output)


def figure(comparison: Comparison) -> Figure:
    """Return the picture of a comparison as a matplotlib figure."""
    whole = new_figure(11, 4.5)
    left, right = whole.subplots(1, 2, sharey=True)
    runs = [[outcome.trajectory for outcome in strategy.outcomes] for strategy in comparison.strategies]
    by_epochs = [make_band(trajectories, lambda reached: reached.epochs) for trajectories in runs]
    by_seconds = [make_band(trajectories, lambda reached: reached.seconds) for trajectories in runs]
    for axes, bands, unit in ((left, by_epochs, "epochs of all trials"), (right, by_seconds, "seconds of running")):
        for strategy, band in zip(comparison.strategies, bands, strict=True):
            _draw_band(axes, band, strategy)
        axes.set_xlabel(unit)
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
    spread = ": median and quartiles" if comparison.is_repeated else ""
    left.set_ylabel(plain(f"best {comparison.objective.metric} so far{spread}"))
    if shown := find_limits([*by_epochs, *by_seconds], comparison.objective):
        left.set_ylim(*shown)
    handles, labels = left.get_legend_handles_labels()
    columns = max(1, _LEGEND_LETTERS // (max(map(len, labels)) + 8))
    whole.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
    return whole


def _draw_band(axes: Axes, band: Band, strategy: Strategy) -> None:
    repeats = len(strategy.outcomes)
    about = f" ({quantity(repeats, 'repeat')})" if repeats > 1 else ""
    (line,) = axes.step(band.costs, band.median, where="post", label=plain(f"{strategy.name}{about}"))
    if repeats > 1:
        axes.fill_between(band.costs, band.low, band.high, step="post", alpha=0.2, color=line.get_color(), linewidth=0)
