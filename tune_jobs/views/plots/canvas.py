"""Where pictures are drawn, and how they become files: without a screen, and without matplotlib's global state."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.base.atomic_files import produce_whole
from tune_jobs.errors import RequestError
from tune_jobs.views.text import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
_DOTS_PER_INCH = 150


def check_picture(output: Path) -> None:
    """Finds out before anything is computed for it whether a picture can be drawn into this file.

    Raises:
        RequestError: Its suffix is that of no picture, its folder does not exist, or matplotlib is not installed.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise RequestError(f"The suffix of {output} is that of no picture, but must be one of {', '.join(SUFFIXES)}.")
    if not output.absolute().parent.is_dir():
        raise RequestError(f"The folder of {output} does not exist: make it, or choose another --output.")
    if find_spec("matplotlib") is None:
        raise RequestError("Pictures need matplotlib, which is not installed: pip install 'tune-jobs[plots]'.")


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure, in inches, whose parts keep clear of each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained")


def plain(text: str) -> str:
    """A text that matplotlib takes as it is: it reads formulas between dollars, and hides what begins with "_"."""
    shown = clean(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def save(figure: Figure, output: Path) -> None:
    """Writes a figure into a file; one that is there already is replaced.

    Raises:
        RequestError: The file cannot be written; nothing was.
    """
    produce_whole(output, lambda path: figure.savefig(path, dpi=_DOTS_PER_INCH))
