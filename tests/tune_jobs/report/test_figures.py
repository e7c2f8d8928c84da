"""The figures of a run: what they show, what they leave out, and that names in them stay text."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.searched_runs import make_searched_run
from search_spaces import Choice, Float, SearchSpace
from tests.support import fakes, runs
from tests.support.hostile_runs import make_hostile_run
from tune_jobs.cli.main import main
from tune_jobs.errors import RequestError
from tune_jobs.report.catalog import catalog, options_by_key
from tune_jobs.report.figures.contour import draw_contour
from tune_jobs.report.figures.curves import draw_curves
from tune_jobs.report.figures.history import draw_history
from tune_jobs.report.figures.parallel import draw_parallel
from tune_jobs.report.figures.parameters import draw_slice
from tune_jobs.report.figures.rungs import count_rungs, draw_rungs
from tune_jobs.report.figures.style import log_ticks, text
from tune_jobs.report.figures.thinning import best_and_others, evenly
from tune_jobs.report.figures.timeline import draw_timeline
from tune_jobs.report.material import Material
from tune_jobs.report.translation import picture
from tune_jobs.results import Status
from tune_jobs.results.run import Run


def test_the_best_so_far_only_rises_and_ends_at_the_best(material: Material) -> None:
    best = max(material.best_values.values())
    for over in ("trials", "epochs", "seconds"):
        line = draw_history(material, over).data[1]
        assert list(line.y) == sorted(line.y)
        assert line.y[-1] == best
        assert list(line.x) == sorted(line.x)
    with pytest.raises(RequestError, match="`over` is 'hours', but must be one of trials, epochs, seconds"):
        draw_history(material, "hours")  # type: ignore[arg-type]


def test_stopped_trials_end_at_their_rung(material: Material) -> None:
    figure = draw_curves(material)
    stopped = next(trace for trace in figure.data if trace.name == "stopped")
    for trial, epoch in zip(stopped.customdata, stopped.x, strict=True):
        assert material.history.trials[trial].status is Status.STOPPED
        assert epoch == max(material.history.trials[trial].epochs)
    assert [shape.x0 for shape in figure.layout.shapes] == list(material.rungs)
    assert figure.data[1].name.endswith("(the best)")


def test_a_log_parameter_has_a_log_axis_and_a_conditional_one_its_trials_only(material: Material) -> None:
    figure = draw_slice(material, ["learning_rate", "momentum"])
    assert "(log)" in figure.layout.xaxis.title.text
    active = sum("momentum" in trial.config for trial in material.ranked_trials)
    assert len(figure.data[1].x) == active < len(figure.data[0].x)


def test_inactive_parameters_pass_below_their_axis(material: Material) -> None:
    dimension = next(each for each in draw_parallel(material).data[0].dimensions if each.label == "momentum")
    assert dimension.ticktext[0] == "not active"
    assert min(dimension.values) == dimension.tickvals[0] < 0


def test_every_rung_counts_what_became_of_its_trials(material: Material) -> None:
    trials = list(material.history.trials.values())
    counts = count_rungs(trials, material.rungs, material.max_epochs)
    assert [count.epoch for count in counts] == [1, 3, 9, 27]
    assert counts[0].seen == sum(1 in trial.epochs for trial in trials)
    for before, after in pairwise(counts):
        assert before.continued == after.seen
    assert sum(count.stopped for count in counts) == sum(trial.status is Status.STOPPED for trial in trials)


def test_the_timeline_names_workers_and_idle_time(material: Material) -> None:
    figure = draw_timeline(material)
    assert set(figure.layout.yaxis.categoryarray) == {"node-0 1", "node-0 2", "node-1 1", "node-1 2"}
    assert "of their time with a trial" in figure.layout.title.subtitle.text
    assert sum(len(trace.x) for trace in figure.data) == 40


def test_a_large_run_is_thinned_out_and_says_so(tmp_path: Path) -> None:
    large = Material.of(make_searched_run(tmp_path, trials=1600, epochs=2, is_stopping=False))
    assert draw_curves(large).layout.meta["note"] == "drawn: 200 of 1,600 trials"
    assert "drawn: 1,200 of 1,6" in draw_history(large).layout.meta["note"]
    assert "one block" in draw_timeline(large).layout.meta["note"]
    assert len(draw_curves(large).to_json()) < 400_000


def test_thinning_keeps_the_first_and_the_last() -> None:
    assert evenly(list(range(100)), 3) == [0, 50, 99]
    assert best_and_others(list(range(100)), 2, 3) == [0, 1, 2, 50, 99]
    assert evenly([1, 2], 5) == [1, 2]


@pytest.mark.parametrize("format_", ["png", "svg"])
def test_every_figure_becomes_a_picture(searched: Run, tmp_path: Path, format_: str) -> None:
    run = searched if format_ == "png" else make_searched_run(tmp_path, trials=9, epochs=3)
    folder = tmp_path / "figures"
    result = CliRunner().invoke(main, ["report", str(run.folder), "--format", format_, "--output", str(folder)])
    assert result.exit_code == 0, result.output
    names = {path.stem for path in folder.iterdir()}
    assert names >= {"history-epochs", "curves-val_accuracy", "slice", "parallel", "timeline", "importance"}
    assert all(path.suffix == f".{format_}" and path.stat().st_size > 1000 for path in folder.iterdir())


def test_names_stay_text_in_figures_and_pictures(tmp_path: Path) -> None:
    hostile = Material.of(make_hostile_run(tmp_path))
    for option in options_by_key(catalog(hostile)).values():
        figure = option.draw()
        whole = json.dumps(figure.to_plotly_json(), default=str)
        for tag in ("<script", "<img", "<b>bold", "<a "):
            assert tag not in whole, (option.key, tag)
        assert "%{x} &" not in whole
        picture(figure).savefig(tmp_path / "figure.svg")


def test_plotly_gets_entities_for_what_it_would_read() -> None:
    assert text("<b>%{x} $a$ & \x1b") == "&lt;b&gt;%&#123;x} &#36;a&#36; &amp; \\x1b"


def test_ticks_of_a_log_axis_are_the_numbers() -> None:
    assert log_ticks([-4.0, -1.0])["ticktext"] == ["0.0001", "0.001", "0.01", "0.1"]
    assert log_ticks([0.1, 0.2])["ticktext"] == ["1.26", "1.58"]


def test_what_cannot_be_drawn_is_told(fresh: Run, tmp_path: Path) -> None:
    alone = runs.make_run(tmp_path, "empty", experiment=fakes.experiment())
    material = Material.of(alone)
    assert catalog(material) == []
    for draw, problem in (
        (draw_timeline, "No trial has started yet"),
        (draw_curves, "No trial has reported the metric `val_accuracy`"),
        (draw_parallel, "No trial has a finite val_accuracy yet"),
        (draw_slice, "No parameter has two values"),
        (draw_contour, "A contour needs two parameters"),
        (draw_rungs, "has reached the first rung yet"),
    ):
        with pytest.raises(RequestError, match=problem):
            draw(material)
    with pytest.raises(RequestError, match="There is no trial 99"):
        fresh.plot_curves(trials=[99])


def test_a_run_draws_itself(searched: Run) -> None:
    assert searched.plot_history(over="epochs").data[1].name == "best so far"
    assert searched.plot_curves("loss", trials=[1, 2]).layout.title.text == "Learning curves: loss"
    assert searched.plot_parallel().data[0].type == "parcoords"
    assert searched.plot_importance().data[0].type == "bar"
    assert len(searched.plot_slice(["dropout"]).data) == 1
    assert {trace.type for trace in searched.plot_contour("learning_rate", "dropout").data} == {"contour", "scatter"}
    assert searched.plot_timeline().data[0].type == "bar"
    assert searched.plot_rungs().data[0].type == "bar"
    with pytest.raises(RequestError, match="'rate' has no two values"):
        searched.plot_slice(["rate"])


def test_values_of_every_kind_make_an_axis(tmp_path: Path) -> None:
    from tune_jobs.analysis.parameter_axes import parameter_axes

    space = SearchSpace(a=Choice(None, True, 1, "1", [1, 2]), b=Float(0.1, 1.0))
    configs = [{"a": value, "b": 0.5} for value in (None, True, 1, "1", [1, 2])]
    (axis,) = parameter_axes(space, configs)
    assert axis.categories is not None
    assert len(axis.categories) >= 4
    assert not np.isnan(axis.positions).any()
