"""The report in a real browser: it opens from disk, is sorted, filtered and read, and hostile names stay text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.browser import Page
from tests.support.compared_runs import make_repeats
from tests.support.hostile_runs import EVIL, make_hostile_run
from tune_jobs.cli.main import main
from tune_jobs.report.write import write_report
from tune_jobs.results.run import Run


@pytest.fixture(scope="module")
def report(searched: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the run."""
    return write_report([searched], tmp_path_factory.mktemp("report") / "report.html")


def opened(browser: Any, file: Path, **options: Any) -> Page:
    return Page(browser, f"file://{file}", **options)


def texts(page: Page, selector: str) -> list[str]:
    return page.page.locator(selector).all_inner_texts()


def test_it_opens_without_a_network_and_without_errors(browser: Any, report: Path) -> None:
    page = opened(browser, report)
    page.draw_all()
    assert page.page.title() == "searched · tune-jobs"
    assert page.page.locator(".js-plotly-plot").count() >= 14
    assert page.said == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert report.stat().st_size < 3e6
    page.close()


RARE = [pytest.mark.integration, pytest.mark.slow]


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (1280, "light"),
        pytest.param(390, "dark", marks=RARE),
        pytest.param(1280, "dark", marks=RARE),
        pytest.param(390, "light", marks=RARE),
    ],
)
def test_everybody_can_read_it(browser: Any, report: Path, width: int, scheme: str) -> None:
    page = opened(browser, report, width=width, scheme=scheme)
    page.draw_all()
    page.screenshot(f"report-{width}-{scheme}")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.problems() == []
    page.close()


def test_the_table_sorts_and_filters(browser: Any, report: Path) -> None:
    page = opened(browser, report)
    column = "#leaderboard tbody tr td:nth-child({})"
    assert texts(page, column.format(1))[:3] == ["1", "2", "3"]
    page.page.get_by_role("button", name="learning_rate").click()
    rates = [float(text) for text in texts(page, column.format(8))]
    assert rates == sorted(rates, reverse=True)
    page.page.get_by_role("button", name="learning_rate").press("Enter")
    rates = [float(text) for text in texts(page, column.format(8))]
    assert rates == sorted(rates)
    assert page.page.locator("th[aria-sort=ascending]").inner_text().startswith("learning_rate")
    page.page.get_by_label("Filter").fill("stopped learning_rate<0.001")
    assert set(texts(page, column.format(3))) == {"stopped"}
    assert all(float(text) < 0.001 for text in texts(page, column.format(8)))
    assert "of 40 trials match" in page.page.locator("#leaderboard [role=status]").inner_text()
    page.page.get_by_text("Columns", exact=True).click()
    page.page.get_by_label("node", exact=True).check()
    assert "node" in texts(page, "#leaderboard thead button")
    page.close()


def test_a_trial_shows_its_curves_and_its_code(browser: Any, report: Path, searched: Run) -> None:
    page = opened(browser, report)
    page.page.get_by_role("button", name="trial 17: show its curves").click()
    dialog = page.page.get_by_role("dialog")
    dialog.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert dialog.locator(".js-plotly-plot").count() == 2
    page.screenshot("trial")
    assert page.problems() == []
    dialog.get_by_role("button", name="Copy as Python").click()
    code = page.page.evaluate("navigator.clipboard.readText()")
    values: dict[str, Any] = {}
    exec(code, values)  # noqa: S102 - the page offers it as code
    assert values["config"] == searched.history().trials[17].config
    page.page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.page.evaluate("document.activeElement.innerText") == "17"
    page.close()


def test_a_click_on_a_point_opens_its_trial(browser: Any, report: Path, searched: Run) -> None:
    page = opened(browser, report)
    page.page.locator(".js-plotly-plot .points path").first.wait_for()
    page.page.evaluate("document.querySelector('.js-plotly-plot').emit('plotly_click', {points: [{customdata: 3}]})")
    page.page.get_by_role("heading", name="Trial 3").wait_for()
    page.close()


def test_hostile_names_stay_text(browser: Any, tmp_path: Path) -> None:
    run = make_hostile_run(tmp_path)
    page = opened(browser, write_report([run], tmp_path / "report.html"))
    page.draw_all()
    for trial in range(len(EVIL)):
        page.page.evaluate(f"Trial.open({trial})")
        page.page.get_by_role("heading", name=f"Trial {trial}", exact=True).wait_for()
    assert page.page.evaluate("window.hurt") is None
    assert page.page.locator("main img, main script, main b, main a, dialog img, dialog script").count() == 0
    shown = page.page.locator("body").inner_text()
    assert "<script>window.hurt=1</script>" in shown
    assert "\u202e" not in shown
    assert page.said == []
    page.screenshot("hostile")
    page.close()


@pytest.mark.integration
@pytest.mark.slow
def test_several_runs_are_compared(browser: Any, tmp_path: Path) -> None:
    groups = [make_repeats(tmp_path, "a", [0.7, 0.72, 0.71]), make_repeats(tmp_path, "b", [0.8, 0.9, 0.85])]
    page = opened(browser, write_report(groups, tmp_path / "report.html"))
    page.draw_all()
    assert "Mann-Whitney" in page.page.locator("#comparison").inner_text()
    page.page.get_by_label("Run", exact=True).select_option(label="b-2")
    assert page.page.locator("#title").inner_text() == "b-2"
    assert page.said == []
    assert page.problems() == []
    page.screenshot("comparison")
    page.close()


def test_the_command_writes_it(searched: Run, tmp_path: Path) -> None:
    output = tmp_path / "r.html"
    result = CliRunner().invoke(main, ["report", str(searched.folder), "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert result.stderr == f"report: {output} ({output.stat().st_size / 1e6:.1f} MB)\n"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--output", "report.csv"], "must be .html"),
        (["--output", "nowhere/report.html"], "does not exist"),
        (["--output", "taken", "--format", "png"], "cannot be made"),
    ],
)
def test_a_wrong_output_is_told_before_anything_is_read(
    searched: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("")
    result = CliRunner().invoke(main, ["report", str(searched.folder), *options])
    assert (result.exit_code, problem in result.output) == (2, True), result.output


def test_no_folder_is_made_for_runs_that_there_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["report", "none", "--format", "png"])
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []
