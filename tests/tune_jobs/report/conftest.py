"""A browser and runs for the tests of the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.searched_runs import make_searched_run
from tests.support import browser as browsers
from tune_jobs.report.material import Material
from tune_jobs.results.run import Run


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium; without one the test is skipped, with the reason."""
    if reason := browsers.missing():
        pytest.skip(reason)
    with browsers.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of forty trials. It is read, never changed."""
    return make_searched_run(tmp_path_factory.mktemp("searched"), trials=40, epochs=27)


@pytest.fixture(scope="session")
def material(searched: Run) -> Material:
    """The material of that run."""
    return Material.of(searched)


@pytest.fixture
def fresh(tmp_path: Path) -> Run:
    """A run that has not begun a trial."""
    return make_searched_run(tmp_path, "fresh", trials=1, epochs=1, is_ended=False)
