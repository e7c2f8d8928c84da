"""Figures and files of pictures, without a screen and without matplotlib's global state."""

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
    """Check that a picture can be written into a file, before anything is computed for it.

    Args:
        output: The file.

    Raises:
        RequestError: The suffix names no picture format, the folder does not exist, or matplotlib is not installed.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise RequestError(f"The suffix of {output} is that of no picture, but must be one of {', '.join(SUFFIXES)}.")
    if not output.absolute().parent.is_dir():
        raise RequestError(f"The folder of {output} does not exist: make it, or choose another --output.")
    if find_spec("matplotlib") is None:
        raise RequestError("Pictures need matplotlib, which is not installed: pip install 'tune-jobs[plots]'.")


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure of a size in inches. Its parts do not overlap."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained")


def plain(text: str) -> str:
    """Return a text that matplotlib draws unchanged.

    Matplotlib reads a formula between dollar signs, and hides a label that begins with an underscore.
    """
    escaped = clean(text).replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped


def save(figure: Figure, output: Path) -> None:
    """Write a figure into a file.

    Args:
        figure: The figure.
        output: The file. It is replaced if it exists.

    Raises:
        RequestError: The file cannot be written. Nothing was written then.
    """
    kind = output.suffix[1:].lower()  # a link may lead to a file whose suffix says something else
    produce_whole(output, lambda path: figure.savefig(path, dpi=_DOTS_PER_INCH, format=kind))
