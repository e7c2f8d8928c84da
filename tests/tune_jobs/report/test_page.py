"""The report in a real browser: it opens from disk, is sorted, filtered and read, and hostile names stay text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.searched_runs import make_searched_run
from tests.support.browser import ARTEFACTS, Page
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


def test_a_title_lies_under_no_button_and_nothing_is_offered_to_be_sent_away(browser: Any, report: Path) -> None:
    page = opened(browser, report)
    page.draw_all()
    page.page.evaluate("Trial.open(17)")
    page.page.locator("dialog .js-plotly-plot .main-svg").nth(1).wait_for()
    overlaps = """[...document.querySelectorAll('.js-plotly-plot')].filter((plot) => {
        const bar = plot.querySelector('.modebar').getBoundingClientRect();
        const title = plot.previousElementSibling.getBoundingClientRect();
        return title.bottom > bar.top || plot.querySelector('.gtitle');
    }).map((plot) => plot.ariaLabel)"""
    assert page.page.evaluate(overlaps) == []
    buttons = page.page.locator(".modebar-btn").evaluate_all("all => all.map(each => each.dataset.title)")
    assert set(buttons) <= {"Zoom", "Pan", "Reset axes", "Reset", "Download as a picture (SVG)"}
    with page.page.expect_download() as download:
        page.page.locator("dialog .modebar-btn").last.click()
    assert ">loss<" in download.value.path().read_text()
    assert page.said == []
    page.close()


COUNTED = """[...document.querySelectorAll('.js-plotly-plot')].flatMap((plot) =>
    Object.entries(plot.layout).filter(([name, axis]) => /^[xy]axis/.test(name) && axis.tickformat === ',d')
        .map(([name]) => [...plot.querySelectorAll(`.${name[0]}axislayer-above .${name[0]}tick text`)]
            .map((tick) => tick.textContent)))"""


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_counted_has_no_halves(browser: Any, tmp_path: Path, width: int) -> None:
    small = make_searched_run(tmp_path, "small", trials=9, epochs=3)
    page = opened(browser, write_report([small], tmp_path / "report.html"), width=width)
    page.draw_all()
    page.page.evaluate("Trial.open(1)")
    page.page.locator("dialog .js-plotly-plot .main-svg").nth(1).wait_for()
    ticks = page.page.evaluate(COUNTED)
    assert len(ticks) >= 6
    assert all(each == sorted(set(each), key=int) for each in ticks)
    zoom = "Plotly.relayout(document.querySelector('.js-plotly-plot'), {'xaxis.range': [2, 4]})"
    page.page.evaluate(zoom)
    assert page.page.evaluate(COUNTED)[0] == ["2", "3", "4"]
    page.close()


PRINTED = """(() => {
    const seen = (node) => node.getClientRects().length > 0;
    const plots = [...document.querySelectorAll('main .figure, #comparison .figure')];
    return {
        theme: document.documentElement.dataset.theme,
        ground: getComputedStyle(document.body).backgroundColor,
        open: document.querySelector('details.asked').open,
        empty: plots.filter((plot) => !plot.querySelector('.main-svg')).length,
        right: Math.max(...plots.map((plot) => plot.querySelector('.main-svg').getBoundingClientRect().right)),
        wide: Math.max(...[...document.querySelectorAll('table, pre')].filter(seen)
            .map((node) => node.getBoundingClientRect().right)),
        controls: [...document.querySelectorAll('button, select, input, summary')].filter(seen)
            .map((node) => node.className || node.dataset.column || node.innerText),
        bars: [...document.querySelectorAll('.modebar')].filter(seen).length,
    };
})()"""


def test_on_paper_it_is_white_whole_and_without_controls(browser: Any, report: Path) -> None:
    page = opened(browser, report, scheme="dark")
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.page.pdf(path=ARTEFACTS / "report.pdf", format="A4", print_background=True)
    assert page.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert not page.page.evaluate("document.querySelector('details.asked').open")
    page.page.emulate_media(media="print")
    page.page.wait_for_function("document.documentElement.dataset.printing === 'yes'")
    page.page.wait_for_timeout(500)
    printed = page.page.evaluate(PRINTED)
    assert printed["theme"] == "light"
    assert printed["ground"] == "rgb(255, 255, 255)"
    assert printed["open"]
    assert (printed["empty"], printed["bars"]) == (0, 0)
    assert max(printed["right"], printed["wide"]) <= 703  # 210 mm without two margins of 12
    assert "What was asked" in printed["controls"]
    assert not {"quiet", "Show more", "filter"} & set(printed["controls"])
    page.screenshot("print")
    page.page.emulate_media(media="screen")
    page.page.wait_for_function("document.documentElement.dataset.printing === undefined")
    page.draw_all()
    widths = "[...document.querySelectorAll('main section:not(.many) .figure')].map((plot) => plot.clientWidth)"
    svgs = widths.replace("plot.clientWidth", "plot.querySelector('.main-svg').clientWidth")
    assert page.page.evaluate(widths) == page.page.evaluate(svgs)
    assert page.said == []
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
