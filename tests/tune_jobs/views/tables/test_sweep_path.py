"""The path that a sweep took: as a table, as a frame, and on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import tune_jobs
from tests.support.swept_runs import make_swept_run
from tune_jobs.analysis.sweep_path import StepState, is_swept, read_steps
from tune_jobs.base.objective import Objective
from tune_jobs.cli.main import main
from tune_jobs.errors import RequestError
from tune_jobs.searchers import Random
from tune_jobs.views.tables.sweep_path import gain_text


def invoke(*arguments: Any, status: int = 0) -> Any:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == status, result.output
    return result


def test_every_step_has_its_winner_its_gain_and_its_cost(tmp_path: Path) -> None:
    first, second, third, fourth = read_steps(make_swept_run(tmp_path))
    assert (first.names, first.own, first.epochs) == (("layers", "units"), (0, 1, 2, 3), 16)
    assert first.values(first.winner) == {"layers": 2, "units": 16}
    assert first.gain == pytest.approx(0.18 * 15 / 16)
    assert (second.state, second.winner, second.own) == (StepState.SKIPPED, None, ())
    assert (third.winner, third.own, third.gain) == (3, (4,), 0)
    assert third.trials.keys() == {3, 4}
    assert (fourth.winner, fourth.own, fourth.epochs) == (6, (5, 6), 4)
    assert fourth.gain == pytest.approx(0.1 * 15 / 16)


def test_less_is_better_where_the_objective_says_so(tmp_path: Path) -> None:
    def learns(config: dict[str, Any], epoch: int) -> dict[str, float]:
        return {"val_loss": 3.0 - config["layers"]}

    run = make_swept_run(tmp_path, steps=("layers",), learns=learns, objective=Objective("val_loss", "min"))
    (stage,) = read_steps(run)
    assert (stage.value, stage.gain) == (1, 1)


def test_a_run_that_was_cut_says_how_far_it_came(tmp_path: Path) -> None:
    run = make_swept_run(tmp_path, stop_after=2)
    first, *others = read_steps(run)
    assert (first.state, first.ended, first.contenders, first.own) == (StepState.UNFINISHED, 2, 4, (0, 1, 2))
    assert [stage.state for stage in others] == [StepState.AHEAD] * 3
    assert invoke("path", run.folder).output.splitlines()[1:] == [
        "   1  layers, units  not finished: 2 of 4 trials ended      -             -     -       3       8",
        "   2  momentum       not begun                              -             -     -       0       0",
        "   3  optimizer      not begun                              -             -     -       0       0",
        "   4  rate           not begun                              -             -     -       0       0",
        "",
        "No step is finished yet.",
    ]


def test_before_the_first_trial_there_is_a_path_to_go(tmp_path: Path) -> None:
    run = make_swept_run(tmp_path)
    (run.folder / "journal.jsonl").unlink()
    assert [stage.state for stage in read_steps(run)] == [StepState.UNFINISHED, *[StepState.AHEAD] * 3]


def test_all_trials_failed(tmp_path: Path) -> None:
    def learns(config: dict[str, Any], epoch: int) -> dict[str, float]:
        raise ValueError("never")

    run = make_swept_run(tmp_path, learns=learns, same_failures=99)
    assert [stage.winner for stage in read_steps(run)] == [0, None, 0, 0]
    assert "layers=1, units=8 (all trials failed)" in invoke("path", run.folder).output


def test_the_command_line(tmp_path: Path) -> None:
    run = make_swept_run(tmp_path)
    lines = invoke("path", run.folder).output.splitlines()
    assert lines[0].split() == ["step", "parameters", "winner", "trial", "val_accuracy", "gain", "trials", "epochs"]
    assert "skipped: not active" in lines[2]
    assert lines[-1] == ("final: trial 6, val_accuracy 0.9000: layers=2, units=16, optimizer=adam, rate=0.001")
    rows = json.loads(invoke("path", "swept", "--storage", tmp_path, "--format", "json").stdout)
    assert [row["state"] for row in rows] == ["done", "skipped", "done", "done"]
    assert rows[0]["winner"] == {"layers": 2, "units": 16}
    invoke("path", run.folder, "--output", tmp_path / "path.parquet")
    assert list(pd.read_parquet(tmp_path / "path.parquet")["trial"]) == [3, pd.NA, 3, 6]


def test_in_python(tmp_path: Path) -> None:
    frame = tune_jobs.sweep_path(make_swept_run(tmp_path))
    assert list(frame["parameters"]) == ["layers, units", "momentum", "optimizer", "rate"]
    assert frame["gain"].dtype == "Float64"


def test_a_metric_with_the_name_of_a_column_keeps_its_own(tmp_path: Path) -> None:
    run = make_swept_run(
        tmp_path, steps=("layers",), learns=lambda config, epoch: {"gain": 0.5}, objective=Objective("gain", "max")
    )
    frame = tune_jobs.sweep_path(run)
    assert (frame["metric_gain"].iloc[0], frame["gain"].iloc[0]) == (0.5, 0)


def test_a_run_of_another_searcher_took_none(tmp_path: Path) -> None:
    run = make_swept_run(tmp_path, "drawn", searcher=Random(), trials=2)
    assert not is_swept(run)
    told = invoke("path", run.folder, status=2).stderr
    assert told.startswith("Error: The run drawn took no path, because no sweep made it: tune-jobs leaderboard shows")


@pytest.mark.parametrize("damage", [{"steps": 5}, {"steps": ["nope"]}, {"start": {"rate": "fast"}}, {"start": [1]}])
def test_a_damaged_declaration_is_told(tmp_path: Path, damage: dict[str, Any]) -> None:
    run = make_swept_run(tmp_path)
    asked = json.loads((run.folder / "experiment.json").read_text())
    asked["searcher"].update(damage)
    (run.folder / "experiment.json").write_text(json.dumps(asked))
    with pytest.raises(RequestError, match=r"experiment\.json of swept is damaged"):
        read_steps(tune_jobs.load_run(run.folder))


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path) -> None:
    run = make_swept_run(tmp_path)
    for name in ("experiment.json", "journal.jsonl"):
        text = (run.folder / name).read_text()
        (run.folder / name).write_text(text.replace("adam", "a\\u001b[31m"))
    assert "\x1b" not in invoke("path", run.folder).output


def test_gains_as_text() -> None:
    assert [gain_text(gain) for gain in (None, 0.0, 0.0123, -2.0)] == ["-", "0", "+0.01230", "-2.000"]
