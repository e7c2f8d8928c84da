"""Pictures of learning curves: which lines, which names, which part of the values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from search_spaces import Choice, SearchSpace
from tests.support.swept_runs import SPACE, make_swept_run
from tune_jobs.cli.main import main
from tune_jobs.errors import RequestError
from tune_jobs.searchers import Random
from tune_jobs.views.plots.curve_limits import limits, outside
from tune_jobs.views.plots.curves import figure

CURVES = st.lists(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=16), max_size=5), max_size=5)


def legend(axes: Any) -> dict[str, bool]:
    """What a legend says, and what of it is bold."""
    return {text.get_text(): text.get_fontweight() == "bold" for text in axes.get_legend().get_texts()}


def test_a_sweep_has_a_panel_a_step_that_was_not_skipped(tmp_path: Path) -> None:
    panels = figure(make_swept_run(tmp_path)).get_axes()
    assert [axes.get_title(loc="left") for axes in panels] == ["1  layers, units", "3  optimizer", "4  rate"]
    assert [axes.get_ylabel() for axes in panels] == ["accuracy"] * 3
    assert list(legend(panels[1]).values()) == [True, False]
    assert [name.split("  ")[0] for name in legend(panels[0])] == ["1, 8", "1, 16", "2, 8", "2, 16"]
    assert [name.split("  ")[0] for name in legend(panels[2])] == ["0.01", "0.001"]  # 0.1 failed before its first epoch
    assert panels[0].get_legend().get_title().get_text() == "best val_accuracy"
    assert len(panels[0].get_lines()) == 8  # each on training and on validation data


def test_other_runs_have_the_ten_best_in_colour_and_the_rest_in_grey(tmp_path: Path) -> None:
    space = SearchSpace(x=Choice(*range(30)))
    run = make_swept_run(
        tmp_path, space=space, searcher=Random(), trials=25, learns=lambda config, epoch: {"val_accuracy": config["x"]}
    )
    (axes,) = figure(run).get_axes()
    assert axes.get_title(loc="left") == "the 10 best of 25 trials"
    (others,) = axes.collections
    assert len(others.get_segments()) == 15
    assert to_hex(others.get_edgecolor()[0]) == to_hex("0.8")
    assert list(legend(axes).values()) == [True] + [False] * 9
    best = [float(name.split("  ")[1].split()[0]) for name in legend(axes)]
    assert best == sorted(best, reverse=True)


def test_trials_of_one_epoch_are_points_and_many_take_no_artist_each(tmp_path: Path) -> None:
    learns: dict[str, Any] = {"learns": lambda config, epoch: {"val_accuracy": config["x"]}, "max_epochs": 1}
    space = SearchSpace(x=Choice(*range(300)))
    run = make_swept_run(tmp_path, space=space, searcher=Random(), trials=200, **learns)
    (axes,) = figure(run).get_axes()
    (grey,) = [line for line in axes.get_lines() if line.get_color() == "0.8"]
    assert len(grey.get_xdata()) == 190
    assert set(grey.get_xdata()) == {1}
    assert (grey.get_marker(), grey.get_linestyle()) == ("o", "None")
    assert len(axes.get_lines()) == 11


@pytest.mark.parametrize("metric", ["accuracy", "val_accuracy", None])
def test_either_name_stands_for_both(tmp_path: Path, metric: str | None) -> None:
    whole = figure(make_swept_run(tmp_path), metric)
    assert [text.get_text() for text in whole.legends[0].get_texts()] == ["val_accuracy", "accuracy"]


def test_a_metric_of_the_training_data_alone(tmp_path: Path) -> None:
    whole = figure(make_swept_run(tmp_path), "loss")
    assert [text.get_text() for text in whole.legends[0].get_texts()] == ["loss"]


def test_a_metric_that_nobody_reported_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match="No trial has reported the metric `recall`: choose one of accuracy, loss, val_accuracy"
    ):
        figure(make_swept_run(tmp_path), "recall")
    run = make_swept_run(tmp_path, "new", stop_after=0)
    with pytest.raises(RequestError, match="no epoch has ended yet"):
        figure(run)


def test_a_trial_that_learnt_nothing_does_not_flatten_the_others() -> None:
    good = [[0.5, 0.8, 0.95, 0.96], [0.6, 0.85, 0.955, 0.97]]
    low, high = limits(good, [[0.1, 0.1, 0.1, 0.1]])
    assert (high - low) < 0.2
    assert outside([0.1, 0.1], (low, high)) == "below"
    assert outside(good[0], (low, high)) == ""
    low, high = limits([[-value for value in curve] for curve in good], [[-0.1] * 4])
    assert outside([-0.1], (low, high)) == "above"


@given(good=CURVES, others=CURVES)
def test_limits_hold_the_later_half_of_the_good_ones(good: list[list[float]], others: list[list[float]]) -> None:
    bounds = limits(good, others)
    finite = [value for curve in [*good, *others] for value in curve if math.isfinite(value)]
    assert (bounds is None) == (not finite)
    if bounds:
        assert all(map(math.isfinite, bounds))
        assert bounds[0] < bounds[1]
        late = [value for curve in good for value in curve[len(curve) // 2 :] if math.isfinite(value)]
        assert all(bounds[0] <= value <= bounds[1] for value in late)


def test_the_command_line_draws_whatever_the_values_are_called(tmp_path: Path) -> None:
    space = SearchSpace(**{**SPACE.parameters, "optimizer": Choice("_hidden", "$\\alpha$"), "momentum": Choice(0)})
    run = make_swept_run(tmp_path, "sw$ept_$", space, ("optimizer",))
    for suffix in ("png", "svg"):
        output = tmp_path / f"curves.{suffix}"
        result = CliRunner().invoke(main, ["curves", str(run.folder), "--output", str(output)])
        assert (result.exit_code, result.stdout) == (0, ""), result.output
        assert output.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "Missing option '--output'"),
        (["--output", "curves.csv"], "is that of no picture"),
        (["--output", "curves.png", "--metric", "recall"], "No trial has reported the metric"),
    ],
)
def test_curves_asked_for_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["curves", str(make_swept_run(tmp_path).folder), *options])
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "curves.png").exists()


def test_a_link_of_another_suffix_gets_the_format_that_was_named(tmp_path: Path) -> None:
    run = make_swept_run(tmp_path)
    (tmp_path / "out.png").symlink_to(tmp_path / "notes.txt")
    done = CliRunner().invoke(main, ["curves", str(run.folder), "--output", str(tmp_path / "out.png")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "notes.txt").read_bytes().startswith(b"\x89PNG")
