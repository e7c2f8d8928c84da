"""The figures of a run as its methods; ``tune_jobs.report``, above this room, draws them when one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Figures:
    """The part of a ``Run`` that draws. Each method returns a figure of plotly, which notebooks show."""

    def plot_history(self, over: Literal["trials", "epochs", "seconds"] = "trials") -> go.Figure:
        """Return the best objective so far, and each trial at its best epoch.

        Args:
            over: What the horizontal axis counts.

        Raises:
            RequestError: ``over`` is none of the three, or plotly is not installed.

        Example:
            >>> import tune_jobs
            >>> run = tune_jobs.load_run("runs/digits")
            >>> [trace.name for trace in run.plot_history(over="epochs").data]
            ['best epoch of a trial', 'best so far']
        """
        return self._drawn("history", over)

    def plot_curves(self, metric: str | None = None, trials: Sequence[int] | None = None) -> go.Figure:
        """Return the learning curves: the best trials in colour, all others grey, each ending where it was ended.

        Args:
            metric: The metric; None for the objective's.
            trials: The trials to draw; None for all. Of more than 200, the others are thinned out, and the figure says
                so.

        Raises:
            RequestError: No trial has reported the metric, a trial does not exist, or plotly is not installed.

        Example:
            >>> import tune_jobs
            >>> run = tune_jobs.load_run("runs/digits")
            >>> figure = run.plot_curves("loss", trials=[0, 1])
            >>> figure.layout.title.text
            'Learning curves: loss'
        """
        return self._drawn("curves", metric, trials)

    def plot_parallel(self, parameters: Sequence[str] | None = None) -> go.Figure:
        """Return the trials as lines through their parameters to the objective.

        Args:
            parameters: Columns of the leaderboard, or names of parameters; None for the ten most important.

        Raises:
            RequestError: A parameter is unknown, no trial has a finite objective, or plotly is not installed.
        """
        return self._drawn("parallel", parameters)

    def plot_importance(self) -> go.Figure:
        """Return the importance of the parameters, with its uncertainty: see ``tune_jobs.importance``.

        Raises:
            RequestError: Too few trials have a finite objective, or plotly is not installed.
        """
        return self._drawn("parameters", function="importance")

    def plot_slice(self, parameters: Sequence[str] | None = None) -> go.Figure:
        """Return each parameter against the objective, a panel each.

        Args:
            parameters: Columns of the leaderboard, or names of parameters; None for the twelve most important.

        Raises:
            RequestError: A parameter is unknown, or has one value only, or plotly is not installed.
        """
        return self._drawn("parameters", parameters, function="slice")

    def plot_contour(self, x: str | None = None, y: str | None = None) -> go.Figure:
        """Return two parameters against each other, on the ground of what the trials nearby reached.

        Args:
            x: A column of the leaderboard; None for the most important parameter.
            y: Another one.

        Raises:
            RequestError: A parameter is unknown, or has one value only, or plotly is not installed.
        """
        return self._drawn("contour", x, y)

    def plot_timeline(self) -> go.Figure:
        """Return which trial had which worker when, and when workers had none.

        Raises:
            RequestError: No trial has started yet, or plotly is not installed.
        """
        return self._drawn("timeline")

    def plot_rungs(self) -> go.Figure:
        """Return how many trials reached each rung of the scheduler, and what became of them.

        Raises:
            RequestError: The scheduler has no rungs, no trial has reached one, or plotly is not installed.
        """
        return self._drawn("rungs")

    def _drawn(self, module: str, *arguments: Any, function: str | None = None) -> Any:
        # By name, because the drawing stands above this room and reads it.
        material = import_module("tune_jobs.report.material").Material.of(self)
        draw = getattr(import_module(f"tune_jobs.report.figures.{module}"), f"draw_{function or module}")
        return draw(material, *arguments)

    def _repr_html_(self) -> str:
        return str(import_module("tune_jobs.report.notebook").run_html(self))
