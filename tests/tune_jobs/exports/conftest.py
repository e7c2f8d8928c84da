"""A run that other people's tools are told."""

from __future__ import annotations

import pytest

from benchmarks.searched_runs import make_searched_run
from tune_jobs.results.run import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of twelve trials, some of which failed, diverged or were stopped."""
    return make_searched_run(tmp_path_factory.mktemp("exports"), "one", 12, 9, share_failed=0.2)
