"""The leaderboard: its order, its columns, and their types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.result_strategies import Trial, accuracy, events_of, property_settings, random_trials
from trainables.settings import Mode
from tune_jobs.base.objective import Objective
from tune_jobs.results import Status, fold
from tune_jobs.results.leaderboard import Column, leaderboard, metrics_note

PARAMETERS = [
    Column("lr", "lr", (), "float"),
    Column("units_0", "units", (0,), "int"),
    Column("units_1", "units", (1,), "int"),
]
UNRANKED = [
    "running",
    "paused",
    "interrupted",
    "completed",
    "stopped",
    "diverged",
    "failed",
    "out of memory",
    "refused",
]
MODES = st.sampled_from(["max", "min"])


def board(
    trials: Sequence[Trial],
    objective: Objective = accuracy(),  # noqa: B008 - frozen
    parameters: Sequence[Column] = PARAMETERS,
) -> pd.DataFrame:
    return leaderboard(fold(events_of(trials)), objective, parameters)


def one(
    config: dict[str, Any] | None = None,
    *epochs: dict[str, float],
    number: int = 0,
    status: Status = Status.COMPLETED,
    error: str | None = None,
) -> Trial:
    return Trial(number, config or {}, list(epochs), status, error)


def expected_order(trials: Sequence[Trial], objective: Objective) -> tuple[list[int], int]:
    """The stated rule, word by word, as sort keys."""

    def key(trial: Trial) -> tuple[int, float, int, int]:
        values = [m["val_accuracy"] if math.isfinite(m.get("loss", 0.0)) else math.nan for m in trial.epochs]
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            return (1, UNRANKED.index(trial.status), 0, trial.number)
        best = max(finite) if objective.mode == "max" else min(finite)
        return (0, -best if objective.mode == "max" else best, values.index(best) + 1, trial.number)

    keys = sorted(map(key, trials))
    return [key[-1] for key in keys], sum(key[0] == 0 for key in keys)


@property_settings
@given(random_trials(), MODES)
def test_trials_stand_in_the_stated_order_with_ranks_of_their_own(trials: list[Trial], mode: Mode) -> None:
    objective = accuracy(mode)
    frame = board(trials, objective)
    order, ranked = expected_order(trials, objective)
    assert frame["trial"].tolist() == order
    assert frame["rank"].tolist() == [*range(1, ranked + 1), *[pd.NA] * (len(trials) - ranked)]


@property_settings
@given(random_trials(), MODES)
def test_every_row_is_its_trial(trials: list[Trial], mode: Mode) -> None:
    frame = board(trials, accuracy(mode)).set_index("trial")
    for trial in trials:
        row = frame.loc[trial.number]
        assert (row["status"], row["epochs"], row["seconds"]) == (
            trial.status.value,
            len(trial.epochs),
            0.5 * len(trial.epochs),
        )
        assert row["lr"] == trial.config["lr"]
        if row["rank"] is pd.NA:
            assert row["best_epoch"] is pd.NA
            assert row["val_accuracy"] is pd.NA
        else:
            best = trial.epochs[row["best_epoch"] - 1]
            assert row["val_accuracy"] == best["val_accuracy"]
            assert row.get("loss") is pd.NA or row.get("loss") == best.get("loss")


@property_settings
@given(random_trials(), st.randoms(use_true_random=False), MODES)
def test_the_order_of_the_journal_does_not_matter(trials: list[Trial], random: Random, mode: Mode) -> None:
    shuffled = random.sample(trials, len(trials))
    pd.testing.assert_frame_equal(board(trials, accuracy(mode)), board(shuffled, accuracy(mode)))


@property_settings
@given(random_trials(), MODES)
def test_a_further_trial_moves_no_other(trials: list[Trial], mode: Mode) -> None:
    before = board(trials[:-1], accuracy(mode))["trial"].tolist()
    after = board(trials, accuracy(mode))["trial"].tolist()
    assert [trial for trial in after if trial in before] == before


@property_settings
@given(random_trials())
def test_columns_have_the_same_types_however_many_trials_there_are(trials: list[Trial]) -> None:
    dtypes = {
        "rank": "Int64",
        "trial": "int64",
        "status": "string",
        "val_accuracy": "Float64",
        "best_epoch": "Int64",
        "epochs": "Int64",
        "seconds": "float64",
        "lr": "Float64",
        "units_0": "Int64",
        "units_1": "Int64",
        "loss": "Float64",
        "feasible": "boolean",
        "node": "string",
        "error": "string",
    }
    frame = board(trials)
    if not any("loss" in metrics for trial in trials for metrics in trial.epochs):
        del dtypes["loss"]
    if not any(trial.status is Status.REFUSED for trial in trials):
        del dtypes["feasible"]
    assert list(frame.columns) == list(dtypes)
    assert frame.dtypes.astype(str).to_dict() == dtypes


def test_a_run_without_trials_has_an_empty_table_with_all_columns() -> None:
    frame = board([])
    assert frame.empty
    assert " ".join(frame.columns) == (
        "rank trial status val_accuracy best_epoch epochs seconds lr units_0 units_1 node error"
    )


def test_the_least_value_is_best_of_an_objective_to_minimize() -> None:
    falling = one({}, {"loss": 0.9}, {"loss": 0.2}, {"loss": 0.4}, number=0)
    lowest = one({}, {"loss": 0.1}, {"loss": 0.8}, number=1)
    frame = board([falling, lowest], Objective("loss", "min"), [])
    assert frame[["trial", "loss", "best_epoch"]].to_numpy().tolist() == [[1, 0.1, 1], [0, 0.2, 2]]


def test_a_trial_that_diverged_is_ranked_by_the_weights_it_left() -> None:
    diverged = one({}, {"val_accuracy": 0.9}, {"val_accuracy": math.nan}, number=0, status=Status.DIVERGED)
    modest = one({}, {"val_accuracy": 0.8}, number=1)
    frame = board([diverged, modest], parameters=[])
    assert frame["trial"].tolist() == [0, 1]
    assert frame["status"].tolist() == ["diverged", "completed"]


def test_other_metrics_come_as_first_seen_and_their_nan_is_missing() -> None:
    first = one({}, {"zeta": 1.0, "val_accuracy": 0.5, "alpha": math.nan}, number=0)
    second = one({}, {"beta": math.inf, "val_accuracy": 0.4}, number=1)
    frame = board([first, second], parameters=[])
    assert list(frame.columns[7:-2]) == ["zeta", "alpha", "beta"]
    assert frame[["zeta", "alpha", "beta"]].to_numpy().tolist() == [
        [1.0, pd.NA, pd.NA],
        [pd.NA, pd.NA, math.inf],
    ]


@pytest.mark.parametrize(
    ("dtype", "pandas_dtype", "values"),
    [
        ("int", "Int64", [1, 2**62, pd.NA]),
        ("float", "Float64", [0.5, 1.0, pd.NA]),
        ("bool", "boolean", [True, False, pd.NA]),
        ("str", "string", ["a", "", pd.NA]),
        ("json", "object", [None, [1, 2], pd.NA, True, 1, "x", 0.5]),
        ("json", "object", [[1, 2], [3, 4]]),
    ],
)
def test_parameters_keep_their_types_and_inactive_ones_are_missing(
    dtype: Any, pandas_dtype: str, values: list[Any]
) -> None:
    configs = [{} if value is pd.NA else {"p": value} for value in values]
    trials = [one(config, {"val_accuracy": 0.5}, number=n) for n, config in enumerate(configs)]
    column = board(trials, parameters=[Column("p", "p", (), dtype)])["p"]
    assert str(column.dtype) == pandas_dtype
    assert list(map(repr, column.tolist())) == list(map(repr, values))


@pytest.mark.parametrize(
    ("dtype", "stranger"),
    [
        ("int", True),
        ("int", 1.0),
        ("int", 2**70),
        ("int", None),
        ("float", "x"),
        ("bool", 1),
        ("str", 1),
        ("float", 10**400),
    ],
)
def test_a_column_with_a_value_of_another_type_holds_all_values_as_they_are(dtype: Any, stranger: Any) -> None:
    trials = [one({"p": stranger}, {"val_accuracy": 0.5})]
    column = board(trials, parameters=[Column("p", "p", (), dtype)])["p"]
    assert column.dtype == object
    assert repr(column.tolist()) == repr([stranger])


def test_repeated_parameters_have_a_column_a_place_and_short_lists_miss_some() -> None:
    parameters = [
        Column("units_0", "units", (0,), "int"),
        Column("units_1", "units", (1,), "int"),
        Column("k_1_0", "k", (1, 0), "int"),
    ]
    trials = [
        one({"units": [32, 64], "k": [[1], [2]]}, number=0),
        one({"units": [16], "k": 3}, number=1),
        one(number=2),
    ]
    rows = board(trials, parameters=parameters)[["units_0", "units_1", "k_1_0"]].to_numpy().tolist()
    assert rows == [[32, 64, 2], [16, pd.NA, pd.NA], [pd.NA] * 3]


def test_colliding_names_are_told_apart_by_the_stated_rule() -> None:
    names = ["rank", "param_rank", "val_accuracy", "loss", "loss"]
    parameters = [Column(name, name, (), "int") for name in names]
    trial = one(dict.fromkeys(names, 1), {"val_accuracy": 0.5, "loss": 0.1, "seconds": 0.2, "metric_loss": 0.3})
    frame = board([trial], parameters=parameters)
    assert list(frame.columns) == [
        *["rank", "trial", "status", "val_accuracy", "best_epoch", "epochs", "seconds"],
        *["param_rank", "param_param_rank", "param_val_accuracy", "loss", "param_loss"],
        *["metric_loss", "metric_seconds", "metric_metric_loss", "node", "error"],
    ]
    assert frame["val_accuracy"].tolist() == [0.5]
    assert board([], Objective("rank", "max"), [])["metric_rank"].tolist() == []


def test_an_error_is_one_line() -> None:
    failed = one(status=Status.FAILED, error="ValueError: no\r\n\n  Arguments:\tnone\n")
    assert board([failed, one(number=1)], parameters=[])["error"].tolist() == [
        pd.NA,
        "ValueError: no Arguments: none",
    ]


def test_of_very_many_metrics_the_first_are_columns() -> None:
    trials = [one({}, {"val_accuracy": 0.5, **{f"m{n}_{k}": 1.0 for k in range(600)}}, number=n) for n in range(3)]
    frame = board(trials, parameters=[])
    names = [name for name in frame.columns if name.startswith("m")]
    assert names == [*(f"m0_{k}" for k in range(600)), *(f"m1_{k}" for k in range(400))]
    note = metrics_note(fold(events_of(trials)), accuracy())
    assert note is not None
    assert "1,800 metrics beside val_accuracy, and the leaderboard has the first 1,000" in note
    assert metrics_note(fold(events_of(trials[:1])), accuracy()) is None
