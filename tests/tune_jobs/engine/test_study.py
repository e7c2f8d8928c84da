"""Ask and tell: a study of the user's own loop is a run like any other, and goes on where it was cut."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ray.tune.search.hyperopt import HyperOptSearch

from search_spaces import Choice, Float, SearchSpace
from tests.support.fakes import experiment
from tune_jobs import (
    ASHA,
    Grid,
    HyperOpt,
    NoScheduler,
    Objective,
    Optuna,
    PromotionASHA,
    RaySearcher,
    RequestError,
    RunFailed,
    Sweep,
    ask_tell,
    suggest,
)
from tune_jobs.cli.main import main
from tune_jobs.engine.study import Study
from tune_jobs.results.find import load_run
from tune_jobs.results.layout import EXPERIMENT_FILE

SPACE = SearchSpace(x=Float(-1.0, 1.0), kind=Choice("a", "b"), slope=Float(0.1, 1.0).when(kind="a"))
LOSS = Objective("loss", "min")
FIELDS: dict[str, Any] = {"max_epochs": 9, "trials": 12, "seed": 3}


def loss(config: dict[str, Any], epoch: int) -> float:
    return float(config["x"] ** 2 + config.get("slope", 0.5) / epoch)


def begin(storage: Path, **fields: Any) -> Study:
    return ask_tell(SPACE, LOSS, **{"storage": storage, **FIELDS, **fields})


def train(study: Study, epochs: int = 10**9) -> None:
    """Train to the end, or until so many epochs were observed, as if the process were killed then."""
    for trial in study:
        for epoch in range(trial.epochs + 1, 10):
            goes_on = study.observe(trial, loss(trial.config, epoch))
            epochs -= 1
            if epochs == 0:
                return
            if not goes_on:
                break


def die(study: Study) -> None:
    """Free what the kernel frees when a process dies: nothing says that the run ended."""
    study._held.close()  # noqa: SLF001


def outcome(storage: Path) -> dict[int, Any]:
    trials = load_run(storage / "study").history().trials
    return {number: (dict(one.config), one.status, one.reason, sorted(one.epochs)) for number, one in trials.items()}


@pytest.mark.parametrize("searcher", [HyperOpt(startup_trials=4), Optuna()], ids=lambda one: one.NAME)
def test_a_study_that_was_killed_anywhere_ends_as_one_that_was_not(tmp_path: Path, searcher: Any) -> None:
    train(begin(tmp_path / "whole", searcher=searcher))
    for cut in (7, 20):
        storage = tmp_path / str(cut)
        train(study := begin(storage, searcher=searcher), cut)
        die(study)
        train(begin(storage, searcher=searcher))
        assert outcome(storage) == outcome(tmp_path / "whole")


def test_the_leaderboard_reads_it_like_any_run(tmp_path: Path) -> None:
    with begin(tmp_path) as study:
        train(study)
    frame = study.run.leaderboard()
    assert len(frame) == 12
    assert frame["loss"].is_monotonic_increasing or frame["loss"].dropna().is_monotonic_increasing
    result = CliRunner().invoke(main, ["leaderboard", "study", "--storage", str(tmp_path), "--format", "json"])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)) == 12
    result = CliRunner().invoke(main, ["resume", "study", "--storage", str(tmp_path)])
    assert result.exit_code == 2
    assert "is a study, whose trials a loop of your own trains: call tune_jobs.ask_tell" in result.output


def test_a_closed_study_goes_on_with_a_larger_budget(tmp_path: Path) -> None:
    with begin(tmp_path, trials=2) as study:
        train(study)
    assert study.propose() is None
    with begin(tmp_path, trials=4) as study:
        train(study)
    assert sorted(outcome(tmp_path)) == [0, 1, 2, 3]


def test_nan_and_errors_are_what_they_are_in_a_run(tmp_path: Path) -> None:
    with begin(tmp_path, scheduler=NoScheduler(), trials=3) as study:
        diverged, failed, early = [study.propose() for _ in range(3)]
        assert diverged
        assert failed
        assert early
        assert not study.observe(diverged, {"loss": math.nan})
        study.end(failed, error="ValueError: too wide")
        assert study.observe(early, 0.5)
        study.end(early)
    reasons = {number: (str(status), reason) for number, (_, status, reason, _) in outcome(tmp_path).items()}
    assert reasons == {
        0: ("diverged", "loss is nan at epoch 1"),
        1: ("failed", "raised"),
        2: ("completed", "stopped itself at epoch 1"),
    }


def test_a_trial_that_begins_again_is_not_judged_twice(tmp_path: Path) -> None:
    study = begin(tmp_path, scheduler=NoScheduler(), trials=1)
    trial = study.propose()
    assert trial
    study.observe(trial, 0.5)
    study.observe(trial, 0.4)
    die(study)
    with begin(tmp_path, scheduler=NoScheduler(), trials=1) as study:
        (trial,) = [study.propose()]
        assert trial
        assert (trial.number, trial.epochs) == (0, 2)
        for epoch in range(1, 10):
            study.observe(trial, 1 / epoch, epoch=epoch)
    assert outcome(tmp_path)[0][2:] == ("all 9 epochs", list(range(1, 10)))


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    study = begin(tmp_path)
    trial = study.propose()
    assert trial
    for wrong, told in [
        (lambda: study.observe(7, 0.5), "Trial 7 is not open"),
        (lambda: study.observe(trial, "low"), "The result is 'low', but must be a number"),
        (lambda: study.observe(trial, {"accuracy": 1.0}), "The result has no 'loss', which is the objective"),
        (lambda: study.observe(trial, 0.5, epoch=3), "trial 0 has 0 epochs: observe epoch 1 next"),
        (lambda: begin(tmp_path), "Another process is working on the run study"),
    ]:
        with pytest.raises(RequestError, match=told):
            wrong()
    study.close()
    with pytest.raises(RequestError, match="the study is closed"):
        study.observe(trial, 0.5)
    for changes, told in [
        ({"seed": 4}, "The run was begun with seed = 3"),
        ({"searcher": Grid()}, "are a continuum"),
    ]:
        with pytest.raises((RequestError, ValueError), match=told):
            begin(tmp_path, **changes)
    with pytest.raises(RequestError, match="The search space has changed"):
        ask_tell(SearchSpace(x=Float(0.0, 1.0)), LOSS, storage=tmp_path, **FIELDS)


def test_a_loop_that_observes_nothing_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="before anything was observed"), begin(tmp_path) as study:
        list(study)


def test_suggest_says_what_comes_next_and_writes_nothing(tmp_path: Path) -> None:
    train(study := begin(tmp_path, searcher=HyperOpt(startup_trials=2), trials=4))
    before = {path: path.read_bytes() for path in study.run.folder.rglob("*") if path.is_file()}
    suggestion = suggest(study.run)
    assert suggestion == suggest(study.run.folder)
    assert {path: path.read_bytes() for path in study.run.folder.rglob("*") if path.is_file()} == before
    result = CliRunner().invoke(main, ["suggest", "study", "--storage", str(tmp_path), "--json"])
    assert json.loads(result.output) == {"trial": 4, "config": suggestion.config}
    result = CliRunner().invoke(main, ["suggest", "study", "--storage", str(tmp_path)])
    assert result.output.startswith("trial 4\nx")
    with begin(tmp_path, searcher=HyperOpt(startup_trials=2), trials=5) as study:
        trial = study.propose()
        assert trial
        assert (trial.number, trial.config) == (4, suggestion.config)


def test_an_exhausted_space_is_told(tmp_path: Path) -> None:
    with ask_tell(SearchSpace(x=Choice(1, 2)), LOSS, storage=tmp_path, scheduler=ASHA()) as study:
        for trial in study:
            study.observe(trial, trial.config["x"])
    with pytest.raises(RequestError, match="has nothing left to propose after 2 trials of study"):
        suggest(study.run)


def test_a_searcher_that_no_record_holds_is_taken_from_the_experiment(tmp_path: Path) -> None:
    ours = RaySearcher(HyperOptSearch(random_state_seed=0))
    train(study := begin(tmp_path, searcher=ours, trials=3))
    with pytest.raises(RequestError, match="its record cannot hold objects of your own: name its experiment"):
        suggest(study.run)
    declared = experiment(space=SPACE, searcher=ours)
    assert suggest(study.run, declared) == suggest(study.run, declared)
    assert suggest(study.run, declared).trial == 3
    result = CliRunner().invoke(main, ["suggest", "study", "--storage", str(tmp_path)])
    assert result.exit_code == 2
    assert "suggest(run, EXPERIMENT)" in result.output


@pytest.mark.parametrize("part", ["searcher", "scheduler"])
@pytest.mark.parametrize("value", [None, [], {"kind": []}, {"kind": {}}, {"kind": None}])
def test_a_damaged_record_is_told(tmp_path: Path, part: str, value: object) -> None:
    study = begin(tmp_path)
    path = study.run.folder / EXPERIMENT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), part: value}))
    result = CliRunner().invoke(main, ["suggest", "study", "--storage", str(tmp_path)])
    assert result.exit_code == 2, result.output
    assert "not foreseen" not in result.output


def test_an_experiment_of_another_space_is_no_help(tmp_path: Path) -> None:
    train(study := begin(tmp_path, searcher=HyperOpt(startup_trials=2), trials=4))
    other = experiment(space=SearchSpace(units=Choice(1, 2)), searcher=Sweep([("units",)]))
    with pytest.raises(RequestError, match=r"not that of the run study: .*'units' is not a parameter of the space"):
        suggest(study.run, other)


def test_a_scheduler_that_pauses_trials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"`scheduler` is PromotionASHA\(.*a study has none"):
        begin(tmp_path, scheduler=PromotionASHA())


def test_a_study_begins_with_earlier_results_and_is_resumed_without_their_source(tmp_path: Path) -> None:
    table = tmp_path / "results.csv"
    table.write_text("x,loss\n" + "".join(f"{x / 10},{(x / 10 - 0.3) ** 2}\n" for x in range(11)))

    def study(**more: Any) -> Study:
        return ask_tell(SearchSpace(x=Float(0.0, 1.0)), Objective("loss", "min"), storage=tmp_path / "runs", **more)

    def proposals(studies: list[Study], per_study: int) -> list[float]:
        found = []
        for one in studies:
            with one:
                for _ in range(per_study):
                    trial = one.propose()
                    assert trial is not None
                    found.append(trial.config["x"])
                    one.observe(trial, (trial.config["x"] - 0.3) ** 2)
        return found

    whole = proposals([study(name="whole", warm_start=[table])], 8)
    assert whole[0] == 0.3
    first = proposals([study(name="cut", warm_start=[table])], 4)
    table.unlink()
    assert [*first, *proposals([study(name="cut", warm_start=[table])], 4)] == whole
    with pytest.raises(RequestError, match="There is no file"):
        study(name="other", warm_start=[table])
    assert not (tmp_path / "runs" / "other").exists()
