"""The interfaces of searchers and schedulers: the examples that show how to write one."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from tune_jobs.schedulers import base as schedulers_base
from tune_jobs.searchers import base as searchers_base


@pytest.mark.parametrize("module", [searchers_base, schedulers_base], ids=lambda module: module.__name__)
def test_the_examples_do_what_they_show(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
