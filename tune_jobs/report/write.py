"""The report of runs as one self-contained file, and their figures as files for papers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tune_jobs.base.atomic_files import write_whole
from tune_jobs.errors import RequestError
from tune_jobs.report.catalog import Group, Option, catalog, options_by_key
from tune_jobs.report.figures.comparison import draw_comparison
from tune_jobs.report.figures.style import check_plotly, message_figure
from tune_jobs.report.material import Material
from tune_jobs.report.page.assembly import json_text, packed, page_html, plotly_script
from tune_jobs.report.page.content import curve_metrics, run_content, trials_content
from tune_jobs.results.run import Run
from tune_jobs.views.text import clean, moment

if TYPE_CHECKING:
    from tune_jobs.analysis.comparison import Comparison


_NOTHING: Mapping[str, Any] = {"names": [], "rows": [], "lines": [], "groups": [], "figures": {}}


def write_report(runs: Sequence[Run | Sequence[Run]], output: Path) -> Path:
    """Write the report of runs: one file that opens without a network.

    Args:
        runs: The runs; a list of repeats counts as one strategy in the comparison. Runs that cannot be compared are in
            the report all the same, and it says why.
        output: The file. It is replaced if it exists.

    Returns:
        The file.

    Raises:
        RequestError: plotly is not installed, or the file cannot be written.
        JournalError: A journal is damaged, and not by a crash.
    """
    write_whole(output, report_html(runs).encode())
    return output


def report_html(runs: Sequence[Run | Sequence[Run]]) -> str:
    """Return the report of runs as HTML: see ``write_report``."""
    check_plotly()
    whole = [run for group in runs for run in ([group] if isinstance(group, Run) else group)]
    comparison = _comparison(runs) if len(whole) > 1 else None
    contents = ",".join(_run_json(Material.of(run)) for run in whole)
    made = f"Made by tune-jobs {_version()} on {moment(time.time())}."
    data = f'{{"made":{json_text(made)},"comparison":{comparison or "null"},"runs":[{contents}]}}'
    return page_html("file_source.js", [("data", packed(data.encode())), ("plotly", packed(plotly_script()))])


def _run_json(material: Material) -> str:
    groups = catalog(material)
    figures = _figures_json(options_by_key(groups).values())
    content = {
        **run_content(material, groups),
        "curve_metrics": curve_metrics(material),
        "trials": trials_content(material),
    }
    return f'{json_text(content)[:-1]},"figures":{figures}}}'


def _figures_json(options: Any) -> str:
    drawn = []
    for option in options:
        try:
            drawn.append(f"{json_text(option.key)}:{option.draw().to_json()}")
        except RequestError as error:
            drawn.append(f"{json_text(option.key)}:{json_text(message_figure(str(error)))}")
    return f"{{{','.join(drawn)}}}"


def _comparison(runs: Sequence[Run | Sequence[Run]]) -> str:
    from tune_jobs.analysis.comparison import compare
    from tune_jobs.views.reports.comparison import comparison_rows, notes
    from tune_jobs.views.reports.verdicts import verdict_lines

    group = [run for run in runs if not isinstance(run, Run)]
    if len(runs) < 2 and group:  # the repeats of one experiment are no two strategies
        return _repeats(group[0])
    try:
        compared: Comparison = compare(list(runs))
    except RequestError as error:
        return json_text({**_NOTHING, "lines": ["These runs are not compared.", *map(clean, error.problems)]})
    options = tuple(
        Option(f"comparison/{over}", over, lambda over=over: draw_comparison(compared, over))  # type: ignore[misc]
        for over in ("epochs", "seconds")
    )
    shown = Group("comparison", "Best so far", options, "Against")
    content = {
        "names": [clean(strategy.name) for strategy in compared.strategies],
        "rows": [[label, *cells] for label, cells in comparison_rows(compared)],
        "lines": [*verdict_lines(compared), *map(clean, compared.cautions), *notes(compared)],
        "groups": [shown.to_json()],
    }
    return f'{json_text(content)[:-1]},"figures":{_figures_json(options)}}}'


def _repeats(runs: Sequence[Run]) -> str:
    line = f"{len(runs)} repeats of {clean(runs[0].repeat.of if runs[0].repeat else runs[0].name)}."
    return json_text({**_NOTHING, "lines": [line]})


def _version() -> str:
    from importlib.metadata import version

    return version("tune-jobs")
