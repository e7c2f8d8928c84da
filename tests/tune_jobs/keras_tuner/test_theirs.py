"""What KerasTuner itself has left in a folder is a leaderboard, and a warm start; its old names are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tune_jobs.keras_tuner as kt
from tests.support.tiny_trainables import Tiny
from tune_jobs.engine.earlier_results.gather import gather
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.keras_tuner.define_by_run.space import find_space
from tune_jobs.keras_tuner.projects.theirs import runs_to_begin_with
from tune_jobs.searchers import HyperOpt


def code(hp: kt.HyperParameters) -> None:
    for index in range(hp.Int("layers", 1, 2)):
        hp.Int(f"units {index}", 16, 64, step=16)


@pytest.fixture
def search(tmp_path: Path) -> Path:
    """A search as KerasTuner 1.4.8 writes it, with the value of a layer that the second trial did not have."""
    folder = tmp_path / "theirs"
    hp = kt.HyperParameters.of({"layers": 2})
    code(hp)
    trials = [
        ({"layers": 2, "units 0": 32, "units 1": 64}, "COMPLETED", 0.9, None),
        ({"layers": 1, "units 0": 16, "units 1": 48}, "COMPLETED", 0.7, None),
        ({"layers": 1, "units 0": 64, "units 1": 16}, "FAILED", None, "Traceback:\nValueError: too large"),
    ]
    for number, (values, status, score, message) in enumerate(trials):
        observed = [] if score is None else [{"value": [score, score + 0.02], "step": 3}]
        metrics = {} if score is None else {"val_accuracy": {"direction": "max", "observations": observed}}
        state = {
            "trial_id": str(number),
            "hyperparameters": {"space": hp.get_config()["space"], "values": values},
            "metrics": {"metrics": metrics},
            "score": score,
            "best_step": 3,
            "status": status,
            "message": message,
        }
        file = folder / f"trial_{number}" / "trial.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(state))
    oracle = {"hyperparameters": hp.get_config(), "start_order": ["0", "1", "2"], "end_order": ["0", "1", "2"]}
    (folder / "oracle.json").write_text(json.dumps(oracle))
    return folder


def test_it_is_a_leaderboard(search: Path, tmp_path: Path) -> None:
    run = kt.convert_search(search, "val_accuracy", storage=tmp_path / "runs")
    board = run.leaderboard()
    assert board["status"].tolist() == ["completed", "completed", "failed"]
    assert board["val_accuracy"].tolist()[:2] == pytest.approx([0.91, 0.71])
    assert board["units_0"].tolist() == [32, 16, 64]
    assert board["error"].tolist()[2] == "ValueError: too large"
    with pytest.raises(RequestError, match="exists already"):
        kt.convert_search(search, "val_accuracy", storage=tmp_path / "runs")


def test_it_is_a_warm_start_with_what_was_used(search: Path) -> None:
    found = find_space(code)
    experiment = Experiment(
        Tiny, found.space, kt.Objective("val_accuracy", "max").metric_objective, HyperOpt(), trials=3
    )
    with runs_to_begin_with([search], kt.Objective("val_accuracy", "max"), found) as runs:
        taken, events = gather(runs, experiment)  # type: ignore[arg-type]
    assert [one.trials for one in taken] == [(0, 1, 2)]
    configs = [event.config for event in events if hasattr(event, "config")]
    assert {"layers": 1, "units_0": 16} in configs


@pytest.mark.parametrize("damage", ["no file", "{", "[]", "{}"])
def test_a_damaged_one_is_told(search: Path, damage: str, tmp_path: Path) -> None:
    file = search / "oracle.json"
    file.unlink() if damage == "no file" else file.write_text(damage)
    with pytest.raises(RequestError, match=r"oracle\.json|no whole search"):
        kt.convert_search(search, "val_accuracy", storage=tmp_path / "runs")
    assert not (tmp_path / "runs" / "theirs").exists()


def test_names_of_older_tutorials_are_found() -> None:
    from tune_jobs.keras_tuner.engine.hyperparameters import HyperParameters
    from tune_jobs.keras_tuner.engine.trial import Trial
    from tune_jobs.keras_tuner.tuners import RandomSearch
    from tune_jobs.keras_tuner.tuners.hyperband import Hyperband

    names: list[Any] = [HyperParameters, Trial, RandomSearch]
    assert Hyperband is kt.tuners.Hyperband is kt.tuners.hyperband.Hyperband
    assert kt.tuners.Sklearn is kt.SklearnTuner
    assert kt.tuners.MultiExecutionTuner is kt.engine.multi_execution_tuner.MultiExecutionTuner is kt.Tuner
    assert kt.oracles.BayesianOptimization is kt.oracles.BayesianOptimizationOracle
    assert kt.__version__
    declared = kt.engine.hyperparameters.Int("units", 8, 32, step=8)
    serialize, deserialize = kt.engine.hyperparameters.serialize, kt.engine.hyperparameters.deserialize
    assert deserialize(serialize(declared)) == declared
    assert type(declared).from_config(declared.get_config()) == declared
    assert names == [kt.HyperParameters, kt.engine.trial.Trial, kt.RandomSearch]
    assert kt.oracles.HyperbandOracle is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = kt.engine.hyperparameters.Nothing
