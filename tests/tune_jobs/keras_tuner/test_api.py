"""The public names: their examples run, and the page's table is that of the installed KerasTuner."""

from __future__ import annotations

import doctest
import io
from pathlib import Path

import pytest

import tune_jobs.keras_tuner as kt

PAGE = Path(__file__).parents[3] / "docs" / "keras_tuner.md"
WITH_EXAMPLES = (
    "FailedTrialError",
    "HyperModel",
    "HyperParameters",
    "Objective",
    "RandomSearch",
    "SklearnTuner",
    "convert_search",
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_example_of_a_name_does_what_it_shows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    [test] = [one for one in doctest.DocTestFinder().find(getattr(kt, name), name, globs={}) if one.name == name]
    assert test.examples
    assert runner.run(test, out=output.write).failed == 0, output.getvalue()


def test_each_public_name_is_there() -> None:
    assert [name for name in kt.__all__ if not hasattr(kt, name)] == []


def test_the_table_of_the_page_is_that_of_the_installed_version() -> None:
    theirs = pytest.importorskip("keras_tuner")
    from benchmarks.keras_tuner_api import lost_arguments, lost_methods, table

    page = PAGE.read_text()
    assert theirs.__version__ in page
    assert table() in page
    assert f"Arguments that are refused: {', '.join(lost_arguments())}." in page
    assert f"Methods that are not there: {'; '.join(lost_methods())}." in page
