"""Runs in a notebook: what a cell shows of a run, of its figures, and of a run that goes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import browser as browsers
from tests.support.hostile_runs import make_hostile_run
from tune_jobs.engine.run_folder.reporter import Plan, default_reporter
from tune_jobs.report.notebook import run_html
from tune_jobs.results.run import Run
from tune_jobs.views.progress.notebook import NotebookView

CELLS = (
    "import tune_jobs\nrun = tune_jobs.load_run({folder!r})\nrun",
    "run.leaderboard().head()",
    "run.plot_history()",
    "run.plot_curves()",
    """from tune_jobs.engine.run_folder.reporter import default_reporter
from tests.tune_jobs.report.test_notebook import plan_of
view = default_reporter()
view.begin(plan_of(run))
for event in run.events():
    view.event(event)
view.end()""",
)


def plan_of(run: Run) -> Plan:
    about = {"metric": run.objective.metric, "mode": "max", "trials": 40, "max_epochs": 27, "total_epochs": None}
    return Plan(folder=run.folder, name=run.name, time_budget_s=None, max_concurrent_trials=4, **about)  # type: ignore[arg-type]


def test_a_run_shows_its_result_and_the_top_of_its_leaderboard(searched: Run, fresh: Run) -> None:
    shown = run_html(searched)
    assert "<strong>searched</strong>: 40 trials" in shown
    assert shown.count("<tr>") == 11
    assert "30 more trials" in shown
    assert searched._repr_html_() == shown
    assert "1 trial" in run_html(fresh)


def test_names_stay_text_in_a_notebook(tmp_path: Path) -> None:
    run = make_hostile_run(tmp_path)
    shown: list[str] = []

    def show(text: str) -> object:
        shown.append(text)
        return shown.append

    view = NotebookView(show, clock=lambda: float(len(shown)))  # type: ignore[arg-type]
    view.begin(plan_of(run))
    for event in run.events():
        view.event(event)
    view.end()
    assert len(shown) > 10
    for text in (run_html(run), *shown):
        assert not any(tag in text for tag in ("<script", "<img", "<b>", "<a "))
        assert "\x1b" not in text


def test_elsewhere_nobody_reports_unasked() -> None:
    assert default_reporter() is None


@pytest.mark.integration
@pytest.mark.slow
def test_a_real_notebook_shows_them(searched: Run) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    sources = [cell.replace("{folder!r}", repr(str(searched.folder))) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [[output.get("data", {}) for output in cell.outputs] for cell in notebook.cells]
    assert "<strong>searched</strong>" in outputs[0][0]["text/html"]
    assert "<table" in outputs[1][0]["text/html"]
    assert all("application/vnd.plotly.v1+json" in outputs[index][0] for index in (2, 3))
    (progress,) = [data["text/html"] for data in outputs[4] if "text/html" in data]
    assert "40 trials ended" in progress
    keep(notebook)


SEARCH = """import tune_jobs
from tune_jobs.examples.digits_mlp import EXPERIMENT
small = EXPERIMENT.override(trials=4, max_epochs=3, max_concurrent_trials=1)
run = tune_jobs.run(small, storage="runs", name="cell")"""


@pytest.mark.integration
@pytest.mark.slow
def test_a_search_that_goes_on_is_seen_below_its_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    shown: list[str] = []

    class Watching(nbclient.NotebookClient):  # type: ignore[misc]
        """Remembers what was shown, each time that it changed."""

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] in ("display_data", "update_display_data"):
                shown.append(msg["content"]["data"].get("text/html", ""))
            return super().process_message(msg, cell, cell_index)

    cells = [nbformat.v4.new_code_cell(source) for source in (SEARCH, "run")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    Watching(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert len(shown) >= 4
    assert "starting Ray" in shown[0]
    assert any("<td>running</td>" in text for text in shown)
    assert "4 trials ended" in shown[-1]
    (below,) = [output["data"]["text/html"] for output in notebook.cells[0].outputs if "data" in output]
    assert below == shown[-1]  # it is kept up to date in its place
    assert "<strong>cell</strong>: 4 trials" in notebook.cells[1].outputs[0]["data"]["text/html"]
    keep(notebook, "notebook-search")


def keep(notebook: object, name: str = "notebook") -> None:
    """Keep a picture of the notebook, if there is a browser."""
    if browsers.missing():
        return
    nbconvert = pytest.importorskip("nbconvert")
    page, _ = nbconvert.HTMLExporter(template_name="basic").from_notebook_node(notebook)
    browsers.ARTEFACTS.mkdir(parents=True, exist_ok=True)
    file = browsers.ARTEFACTS / f"{name}.html"
    file.write_text(f"<meta charset=utf-8>{page}", encoding="utf-8")
    with ThreadPoolExecutor(1) as thread:  # the loop of the other tests' browser runs in this one
        thread.submit(take, file).result()


def take(file: Path) -> None:
    """Take a picture of a page."""
    with browsers.chromium() as browser:
        tab = browser.new_page(viewport={"width": 1000, "height": 900})
        tab.goto(f"file://{file}")
        tab.wait_for_timeout(500)
        tab.screenshot(path=file.with_suffix(".png"), full_page=True)
