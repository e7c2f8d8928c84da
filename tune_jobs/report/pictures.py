"""The figures of runs as pictures for papers: PNG, SVG or PDF, drawn by matplotlib.

plotly's own way to pictures starts a browser, which a machine of a cluster does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.errors import RequestError
from tune_jobs.report.catalog import catalog
from tune_jobs.report.figures.parameters import draw_slice
from tune_jobs.report.material import Material
from tune_jobs.report.translation import picture
from tune_jobs.results.run import Run
from tune_jobs.views.plots.canvas import check_picture, save

if TYPE_CHECKING:
    import plotly.graph_objects as go


def check_folder(folder: Path) -> Path:
    """Return the folder for pictures; it is made.

    Raises:
        RequestError: It cannot be made, or matplotlib is not installed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"The folder {folder} cannot be made ({error.strerror}). Choose another --output."
        ) from error
    check_picture(folder / "figure.png")
    return folder


def write_pictures(runs: Sequence[Run | Sequence[Run]], folder: Path, format: str) -> Iterator[Path]:
    """Write each figure of runs into a file, and yield the files: ``history-trials.svg``, ``rungs.svg``, ….

    Args:
        runs: The runs. The files of several runs lie in a folder for each.
        folder: The folder, which exists.
        format: "png", "svg" or "pdf".

    Raises:
        RequestError: A file cannot be written.
    """
    whole = [run for group in runs for run in ([group] if isinstance(group, Run) else group)]
    for run in whole:
        own = check_folder(folder / run.name) if len(whole) > 1 else folder
        material = Material.of(run)
        for group in catalog(material):
            if group.is_grid:
                options: list[tuple[str, Callable[[], go.Figure]]] = [(group.name, partial(draw_slice, material))]
            else:
                options = [(option.key, option.draw) for option in group.options]
            for key, draw in options:
                path = own / f"{_file_name(key)}.{format}"
                save(picture(draw()), path)
                yield path


def _file_name(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", key).strip("-") or "figure"
