"""Reports, pictures, live pages and studies of runs that are rare and possible: none raises."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.strange_runs import RUNS, make_strange_runs
from tune_jobs.analysis.importance import importance
from tune_jobs.errors import RequestError
from tune_jobs.exports.optuna_study import export_study
from tune_jobs.report.catalog import catalog, options_by_key
from tune_jobs.report.live.followed_run import FollowedRun
from tune_jobs.report.material import Material
from tune_jobs.report.notebook import run_html
from tune_jobs.report.translation import picture
from tune_jobs.report.write import report_html
from tune_jobs.results.run import Run


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The runs, by what they are."""
    return dict(make_strange_runs(tmp_path_factory.mktemp("strange")))


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("about", RUNS)
def test_every_run_has_a_report(strange: dict[str, Run], about: str) -> None:
    run = strange[about]
    assert "<script" in report_html([run])
    assert run.name in run_html(run)
    for option in options_by_key(catalog(Material.of(run))).values():
        figure = option.draw()
        assert "NaN" not in json.dumps(json.loads(figure.to_json()))
        picture(figure)


@pytest.mark.parametrize("about", RUNS)
def test_every_run_can_be_followed(strange: dict[str, Run], about: str) -> None:
    followed = FollowedRun(strange[about])
    content = json.loads(followed.content(""))
    assert content["name"] == strange[about].name
    keys = [option["key"] for group in content["groups"] for option in group["options"]]
    assert all("layout" in json.loads(followed.figure(key)) for key in keys)
    for number in strange[about].history().trials:
        assert json.loads(followed.trial(number))["config"]
    assert followed.overview()["name"] == strange[about].name


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("about", RUNS)
def test_every_run_is_a_study(strange: dict[str, Run], about: str, tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    run = strange[about]
    url = f"sqlite:///{tmp_path / 'study.db'}"
    count = export_study(run, url)
    assert count == len(run.history().trials) == len(optuna.load_study(study_name=run.name, storage=url).trials)
    with suppress(RequestError):  # there are too few trials, or no differences
        assert importance(run).parameters


@pytest.mark.integration
@pytest.mark.slow
def test_all_of_them_are_in_one_report(strange: dict[str, Run]) -> None:
    assert "<script" in report_html(list(strange.values()))
