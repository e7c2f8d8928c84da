"""What all tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Helper modules of the tests (strategies, fakes) are imported by their names.
for folder in ("search_spaces_tests", "tune_jobs_tests", "tune_jobs_tests/results", "integration"):
    sys.path.insert(0, str(Path(__file__).parent / folder))


def pytest_itemcollected(item: pytest.Item) -> None:
    """What starts a Ray runs in one process, one after another: two Rays at once would want four cores."""
    if item.get_closest_marker("integration"):
        item.add_marker(pytest.mark.xdist_group("ray"))
