"""An experiment in words."""

from __future__ import annotations

import pytest

from tests.support.fakes import experiment
from tune_jobs.loading.loader import Loaded
from tune_jobs.views.reports.experiment import description


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, ["executions  1 a trial\n", "examples    all\n"]),
        (
            {"executions": 3, "fraction": 0.125},
            ["3 a trial, which is judged by their mean", "12.5 % of those to train and to validate on"],
        ),
    ],
)
def test_what_is_trained_how_often_and_on_what(fields: dict[str, object], told: list[str]) -> None:
    text = description(Loaded(experiment(**fields), "mine", "A question."))
    assert all(part in text for part in told), text
