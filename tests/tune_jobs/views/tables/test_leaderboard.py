"""A leaderboard as a table to look at."""

import io

import pandas as pd
import pytest
from rich.console import Console

from tests.support.counting import calls_of
from tune_jobs.views.tables.leaderboard import print_leaderboard, table_text

PARAMETERS = 6


def board(**changes):
    columns = {
        "rank": pd.array([1, 2, None], dtype="Int64"),
        "trial": [4, 0, 1],
        "status": pd.array(["completed", "stopped", "failed"], dtype="string"),
        "val_accuracy": pd.array([0.975, 0.94166666, None], dtype="Float64"),
        "best_epoch": pd.array([20, 3, None], dtype="Int64"),
        "epochs": pd.array([27, 3, 0], dtype="Int64"),
        "seconds": [12.345678, 1.5, 0.0],
        "layers": pd.array([2, 1, 2], dtype="Int64"),
        "units_0": pd.array([64, 32, 16], dtype="Int64"),
        "units_1": pd.array([48, None, 16], dtype="Int64"),
        "learning_rate": pd.array([0.0031234567, 0.01, 0.1], dtype="Float64"),
        "dropout": pd.array([0.1, 0.5, 0.0], dtype="Float64"),
        "momentum": pd.array([None, None, None], dtype="Float64"),
        "loss": pd.array([0.1, 0.2, None], dtype="Float64"),
        "node": pd.array(["host"] * 3, dtype="string"),
        "error": pd.array([None, None, "ValueError: " + "long " * 20], dtype="string"),
    }
    return pd.DataFrame({**columns, **changes})


def on_terminal(frame, width, color_system=None):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=color_system)
    print_leaderboard(console, frame, PARAMETERS)
    return console.file.getvalue()


def on_pipe(frame):
    console = Console(file=io.StringIO(), width=80)
    print_leaderboard(console, frame, PARAMETERS)
    return console.file.getvalue()


def test_a_pipe_gets_every_column_that_has_a_value_and_whole_cells():
    header, first, _, last = on_pipe(board()).splitlines()
    assert header.split() == [name for name in board().columns if name != "momentum"]
    assert first.split()[:9] == ["1", "4", "completed", "0.9750", "20", "27", "12.35", "2", "64"]
    assert last.rstrip().endswith("long long")
    assert last.split()[:5] == ["-", "1", "failed", "-", "-"]


def test_numbers_are_padded_only_where_digits_are_cut():
    text = table_text(board())
    assert "0.9417" in text
    assert "0.003123" in text
    assert " 0.1 " in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 240])
def test_a_terminal_gets_what_fits_and_the_names_of_the_rest(width):
    text = on_terminal(board(), width)
    assert max(map(len, text.splitlines())) <= width
    shown, _, rest = text.replace("\n", " ").partition("No room for ")
    for name in ("epochs", "seconds", "dropout", "loss"):
        assert (name in shown) != (name in rest)


def test_parameters_matter_more_than_other_metrics():
    text = on_terminal(board(), 64)
    assert "0.003123" in text
    assert "loss" in text.partition("No room for ")[2]


def spread_board():
    frame = board()
    frame.insert(len(frame.columns) - 2, "val_accuracy_std", pd.array([0.0123, 0.002, None], dtype="Float64"))
    return frame


def test_the_spread_stands_beside_the_objective_where_there_is_room():
    header = on_pipe(spread_board()).splitlines()[0].split()
    assert header[3:5] == ["val_accuracy", "val_accuracy_std"]
    shown, _, _ = on_terminal(spread_board(), 64).partition("No room")
    assert "0.0123" in shown
    narrow = on_terminal(spread_board(), 36)
    assert "val_accuracy_std" in narrow.partition("No room for ")[2].replace("\n", "")


def test_the_test_score_stands_beside_the_objective_and_before_the_parameters():
    frame = board()
    for name in ("test_loss", "test_accuracy"):
        frame.insert(len(frame.columns) - 2, name, pd.array([0.9123, None, None], dtype="Float64"))
    assert on_pipe(frame).splitlines()[0].split()[3:5] == ["val_accuracy", "test_accuracy"]
    shown, _, rest = on_terminal(frame, 64).replace("\n", " ").partition("No room for ")
    assert shown.count("0.9123") == 1
    assert "test_loss" in rest


def test_a_wide_terminal_shows_everything_once():
    text = on_terminal(board(), 240)
    assert "No room" not in text
    assert "64, 48" in text
    assert "host" not in text  # all trials ran on one node


def test_the_best_trial_stands_out():
    first, second = on_terminal(board(), 120, color_system="standard").splitlines()[2:4]
    assert first.startswith("\x1b[1;32m")
    assert not second.startswith("\x1b[1;32m")


def test_nothing_in_a_run_can_steer_the_terminal():
    evil = pd.Series(["\x1b[2J[red]x[/red]", "\x9b", ["\x07", None]], dtype=object)
    text = on_terminal(board(dropout=evil), 200)
    assert not set(text) & {"\x1b", "\x9b", "\x07"}
    assert r"\x1b[2J[red]x[/red]" in text
    assert r"[\x07, None]" in text


def test_a_run_without_trials():
    assert on_pipe(board().head(0)) == "No trial has started yet.\n"


def test_names_that_only_look_like_a_list_stay_apart():
    frame = board().rename(columns={"units_0": "units_1", "units_1": "units_2"})
    text = on_terminal(frame, 240)
    assert "64, 48" not in text


def test_wide_characters_take_the_room_that_they_take():
    names = pd.array(["普通", "a", "é"], dtype="string")
    lines = table_text(board(status=names)).splitlines()
    assert [
        line.index(value) + extra for line, value, extra in zip(lines[1:3], ("0.9750", "0.9417"), (2, 0), strict=True)
    ] == [lines[0].index("val_accuracy") + 6] * 2


@pytest.mark.parametrize(("show", "most"), [(on_pipe, 450), (lambda frame: on_terminal(frame, 240), 1000)])
def test_a_row_of_ten_thousand_is_not_much_work(show, most):
    few, many = (calls_of(lambda: show(pd.concat([board()] * times))) for times in (10, 110))  # noqa: B023
    assert (many - few) / 300 < most  # rich's own tables make 6,000
