"""Evaluations on disk: written ones are read back, and other files in the folder do no harm."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.result_strategies import Trial, accuracy, events_of, property_settings
from tune_jobs.errors import RequestError
from tune_jobs.results import Status, fold, ranking
from tune_jobs.results.evaluations import Scores, current, read, write
from tune_jobs.results.layout import EVALUATIONS_FOLDER, evaluation_file
from tune_jobs.results.leaderboard import Column, leaderboard

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


@property_settings
@given(st.integers(0, 99_999), st.integers(1, 99), st.dictionaries(NAMES, st.floats()))
def test_what_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, trial: int, epoch: int, metrics: dict[str, float]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    write(folder, Scores(trial, epoch, 10, 1.5, metrics), {"output": {"kind": "none"}})
    (scores,), problems = read(folder)
    assert problems == []
    assert (scores.trial, scores.epoch, scores.examples, scores.evaluated_s) == (trial, epoch, 10, 1.5)
    finite = {name: value if math.isfinite(value) else math.nan for name, value in metrics.items()}
    assert repr(scores.metrics) == repr(finite)


SOUND = {"format": 1, "trial": 7, "epoch": 1, "examples": 1, "evaluated_s": 0, "metrics": {"loss": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        "\x00",
        json.dumps({**SOUND, "trial": 8}),
        json.dumps({**SOUND, "format": "2"}),
        json.dumps({**SOUND, "epoch": True}),
        json.dumps({**SOUND, "epoch": -1}),
        json.dumps({**SOUND, "metrics": [1]}),
        json.dumps({**SOUND, "metrics": {"loss": "0.1"}}),
        json.dumps({**SOUND, "metrics": {"loss": 10**400}}),
        json.dumps({**SOUND, "metrics": {"\ud800": 1}}),
    ],
)
def test_a_damaged_file_is_left_out_and_told(tmp_path: Path, text: str) -> None:
    write(tmp_path, Scores(3, 1, 10, 0.0, {"loss": 0.1}), {})
    evaluation_file(tmp_path, 7).write_text(text)
    evaluations, (problem,) = read(tmp_path)
    assert [scores.trial for scores in evaluations] == [3]
    assert "0007.json is damaged" in problem
    assert "evaluate trial 7 again" in problem


def test_files_of_other_names_are_none_of_ours(tmp_path: Path) -> None:
    assert read(tmp_path) == ([], [])
    (tmp_path / EVALUATIONS_FOLDER).mkdir()
    for name in ("notes.json", ".0007.json", "7.json", "0007.json~"):
        (tmp_path / EVALUATIONS_FOLDER / name).write_text("{")
    assert read(tmp_path) == ([], [])


def board(scores: Sequence[Scores], parameters: Sequence[Column] = ()) -> tuple[pd.DataFrame, list[str]]:
    epochs = [[{"val_accuracy": 0.1}, {"val_accuracy": best}] for best in (0.5, 0.9)]
    trials = [Trial(number, {"lr": 0.5}, reported, Status.COMPLETED) for number, reported in enumerate(epochs)]
    history = fold(events_of(trials))
    up_to_date, outdated = current(scores, ranking(history, accuracy()))
    return leaderboard(history, accuracy(), parameters, up_to_date), outdated


def test_the_leaderboard_has_columns_for_what_was_evaluated() -> None:
    frame, outdated = board([Scores(1, 2, 10, 0.0, {"loss": 0.3, "accuracy": 0.8})])
    assert outdated == []
    assert list(frame.columns[-4:]) == ["test_loss", "test_accuracy", "node", "error"]
    assert frame["test_accuracy"].dtype == "Float64"
    assert frame["test_accuracy"].iloc[0] == 0.8
    assert frame["test_accuracy"].isna().tolist() == [False, True]


def test_scores_of_another_epoch_than_the_best_are_left_out() -> None:
    frame, (note,) = board([Scores(1, 1, 10, 0.0, {"loss": 0.3})])
    assert "test_loss" not in frame
    assert "trial 1 are left out: they are of epoch 1, but its best is epoch 2 now" in note
    _, (note,) = board([Scores(9, 1, 10, 0.0, {"loss": 0.3})])
    assert "trial 9" in note


def test_a_parameter_keeps_its_name_before_a_test_score() -> None:
    parameters = [Column("test_loss", "lr", (), "float")]
    frame, _ = board([Scores(1, 2, 10, 0.0, {"loss": 0.3})], parameters)
    assert frame["test_loss"].tolist() == [0.5, 0.5]
    assert frame["metric_test_loss"].iloc[0] == 0.3


def test_a_folder_of_evaluations_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / EVALUATIONS_FOLDER).symlink_to("precious")
    with pytest.raises(RequestError, match="it is a link, to precious"):
        write(tmp_path, Scores(3, 1, 10, 0.0, {"loss": 0.1}), {})
    assert list((tmp_path / "precious").iterdir()) == []
