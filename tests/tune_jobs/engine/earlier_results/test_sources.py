"""Earlier results from tables, from Optuna and from KerasTuner; and every mistake in words, all at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from tests.support.fakes import experiment
from tests.tune_jobs.engine.decisions.test_warm_start import old_run, trial
from tune_jobs import ASHA, Grid, Objective, RequestError, Sweep, WarmStart
from tune_jobs.engine.earlier_results.gather import gather
from tune_jobs.engine.earlier_results.named import find_sources
from tune_jobs.results import EpochReported, Event, Status, TrialEnded, TrialStarted
from tune_jobs.results.formats import to_csv

SPACE = SearchSpace(
    rate=Float(1e-4, 1e-2, log=True),
    units=Int(16, 64, step=16).per("layers"),
    layers=Int(1, 2),
    optimizer=Choice("adam", "sgd"),
    bias=Boolean(),
)
DECLARED = experiment(space=SPACE, scheduler=ASHA(), max_epochs=9)


def problems(*sources: Any, declared: Any = DECLARED) -> list[str]:
    with pytest.raises(RequestError) as refused:
        gather(sources, declared)
    return list(refused.value.problems)


def results(events: list[Event]) -> list[tuple[dict[str, Any], dict[int, float], Status]]:
    """The configuration, the objective by epoch and the status of each result."""
    found: list[tuple[dict[str, Any], dict[int, float], Status]] = []
    reports: dict[int, float] = {}
    for event in events:
        if isinstance(event, TrialStarted):
            config, reports = dict(event.config), {}
        elif isinstance(event, EpochReported):
            reports[event.epoch] = event.metrics["val_accuracy"]
        elif isinstance(event, TrialEnded):
            found.append((config, reports, event.status))
    return found


def whole_run(tmp_path: Path) -> Any:
    configs = [
        {"rate": 0.001, "units": [16, 64], "layers": 2, "optimizer": "adam", "bias": True},
        {"rate": 0.0002, "units": [32], "layers": 1, "optimizer": "sgd", "bias": False},
        {"rate": 0.01, "units": [48], "layers": 1, "optimizer": "sgd", "bias": True},
    ]
    trials = [
        trial(0, 0.0, [0.1 + 0.01 * epoch for epoch in range(9)], Status.COMPLETED),
        trial(1, 0.0, [0.7, 0.6, 0.5], Status.STOPPED),
        trial(2, 0.0, [], Status.DIVERGED),
    ]
    for config, events in zip(configs, trials, strict=True):
        events[0] = TrialStarted(time_s=1.0, trial=events[0].trial, config=config, node="here")
    return old_run(tmp_path, *trials, space=SPACE, scheduler=ASHA())


def test_our_own_leaderboard_comes_back_from_csv_and_as_a_frame(tmp_path: Path) -> None:
    run = whole_run(tmp_path)
    file = tmp_path / "board.csv"
    file.write_text(to_csv(run.leaderboard()))
    direct = results(gather([run], DECLARED)[1])
    for source in (file, str(file), run.leaderboard(), WarmStart(file)):
        ((taken,), events) = gather([source], DECLARED)
        assert str(taken).endswith("3 of 3 results used")
        assert sorted(taken.trials) == [0, 1, 2]
        again = results(events)
        assert sorted((str(config), status) for config, _, status in again) == sorted(
            (str(config), status) for config, _, status in direct
        )
        ends = [(max(reports), max(reports.values())) for _, reports, _ in direct if reports]
        assert sorted(reports.popitem() for _, reports, _ in again if reports) == sorted(ends)


def test_one_line_says_what_was_taken_and_what_was_not(tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    rows = (
        ["0.001,32,adam,0.9,True,x"] * 3
        + ["0.1,32,adam,0.5,False,x"] * 2
        + ["0.001,40,sgd,,1,x", "0.002,50,lion,.3,0,x"]
    )
    file.write_text(
        "\n".join(["rate,units_0,optimizer,val_accuracy,bias,layers", *(row.replace("x", "1") for row in rows)])
    )
    ((taken,), events) = gather([file], experiment(space=SearchSpace(**SPACE.parameters, dropout=Float(0, 0.5))))
    said = (
        f"warm start from {file}: 3 of 7 results used: 2 outside rate's range, 1 without a value, 1 outside optimizer's"
    )
    assert str(taken) == f"{said} values; dropout is not in all of them and drawn at random"
    assert len({config["dropout"] for config, _, _ in results(events)}) == 3
    assert all(reports == {9: 0.9} and status is Status.COMPLETED for _, reports, status in results(events))


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_a_mark_of_order_and_other_names_of_the_objective(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "results.csv"
    lines = [["rate", "acc", "layers", "units_0"], ["0.001", "0.5", "1", "16"]]
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(map(delimiter.join, lines)).encode())
    _, events = gather([WarmStart(file, metric="acc", values={"optimizer": "sgd", "bias": True})], DECLARED)
    expected = {"rate": 0.001, "units": [16], "layers": 1, "optimizer": "sgd", "bias": True}
    assert results(events) == [(expected, {9: 0.5}, Status.COMPLETED)]


def test_all_mistakes_in_all_sources_are_told_at_once(tmp_path: Path) -> None:
    files = {
        "empty": b"",
        "head": b"rate,val_accuracy\n",
        "objective": b"rate,accuracy\n0.1,0.2\n",
        "common": b"lr,val_accuracy\n0.1,0.2\n",
        "binary": bytes(range(256)),
        "ragged": b"rate,val_accuracy\n1,2,3\n",
        "prose": b"hello\nworld\n",
        "double": b"rate,rate,val_accuracy\n1,2,3\n",
        "quote": b'rate,val_accuracy\n"1,2\n',
        "useless": b"rate,val_accuracy\n1,0.5\n2,0.6\n",
        "ranked": b"rank,rate,val_accuracy\n1,0.001,0.5\n2,0.001,0.6\n",
    }
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    told = problems(*(tmp_path / f"{name}.csv" for name in files), tmp_path / "missing.csv", tmp_path, 3)
    for text, words in zip(
        told,
        [
            "is empty",
            "has no results",
            "has no column 'val_accuracy', which is the objective: you may have meant `accuracy`",
            "none of the space's parameters (rate, units, layers, optimizer, bias) among its columns (lr)",
            "is no CSV file: it is no text",
            "line 2 has 3 cells, but the first line has 2",
            "names no columns",
            "several columns 'rate'",
            "is no CSV file",
            "0 of 2 results used: 2 outside rate's range. Leave it out",
            "begin with the worst val_accuracy of this run, for which more is better (max)",
            "There is no file",
            "is no run's folder",
            "must be a run, a path, a URL or a DataFrame",
        ],
        strict=True,
    ):
        assert words in text
    assert (
        "cannot be told of other runs"
        in problems(3, declared=experiment(space=SearchSpace(units=Choice(1, 2)), searcher=Sweep()))[0]
    )


def test_values_of_unknown_parameters_are_told(tmp_path: Path) -> None:
    run = whole_run(tmp_path)
    (told,) = problems(WarmStart(run, values={"dropuot": 1}))
    assert "names dropuot, which the space does not have" in told
    (told,) = problems(WarmStart(run, metric="val_los"))
    assert "reported no val_los" in told


def test_a_grid_leaves_out_only_what_was_tried_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    file.write_text("units,val_accuracy\n16,0.5\n17,0.6\n")
    small = SearchSpace(units=Int(16, 64, step=16))
    ((taken,), _) = gather([file], experiment(space=small, searcher=Grid(), trials=None))
    assert str(taken).endswith("1 of 2 results used: 1 with another units")
    larger = SearchSpace(units=Int(16, 64, step=16), bias=Boolean())
    (told,) = problems(file, declared=experiment(space=larger, searcher=Grid(), trials=None))
    assert "0 of 2 results used: 2 without bias" in told


def study_of(tmp_path: Path, name: str = "old", **arguments: Any) -> str:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    study = optuna.create_study(storage=url, study_name=name, **(arguments or {"direction": "maximize"}))
    if arguments:
        return url

    def objective(asked: Any) -> float:
        rate = asked.suggest_float("rate", 1e-4, 1e-2, log=True)
        asked.suggest_int("layers", 1, 1)
        asked.suggest_int("units_0", 16, 64, step=16)
        asked.suggest_categorical("optimizer", ["adam", "sgd"])
        asked.suggest_float("gone", 0, 1)
        for step in range(3):
            asked.report(rate * (step + 1), step)
        if asked.number == 1:
            raise optuna.TrialPruned
        if asked.number == 2:
            raise ValueError
        return rate * 3

    study.optimize(objective, n_trials=5, catch=ValueError)
    study.enqueue_trial({"rate": 0.001})
    return url


def test_a_study_of_optuna(tmp_path: Path) -> None:
    url = study_of(tmp_path)
    before = (tmp_path / "study.db").read_bytes()
    for source in (url, f"{url}#old", WarmStart(url, study="old")):
        ((taken,), events) = gather([source], DECLARED)
        assert str(taken) == (
            "warm start from the study old: 5 of 6 results used: 1 unfinished; bias is not in all of them and drawn at "
            "random; gone is not in this space and left out"
        )
    found = results(events)
    assert [status for *_, status in found] == [Status.STOPPED, Status.STOPPED, Status.FAILED, *[Status.STOPPED] * 2]
    config, reports, _ = found[0]
    assert reports == pytest.approx({1: config["rate"], 2: 2 * config["rate"], 3: 3 * config["rate"]})
    assert (tmp_path / "study.db").read_bytes() == before
    assert find_sources([url.replace(str(tmp_path), str(tmp_path))], tmp_path) == [url]


def test_mistakes_about_studies_are_told(tmp_path: Path) -> None:
    url = study_of(tmp_path)
    study_of(tmp_path, "low", direction="minimize")
    study_of(tmp_path, "two", directions=["minimize", "minimize"])
    (tmp_path / "bad.db").write_text("nothing")
    missing = f"sqlite:///{tmp_path / 'none.db'}"
    told = problems(url, f"{url}#none", f"{url}#low", f"{url}#two", missing, f"sqlite:///{tmp_path / 'bad.db'}")
    for text, words in zip(
        told,
        [
            "has 3 studies: low, old, two. Name one",
            "has no study 'none'. There are: low, old, two.",
            "less is better (min), but this run is for val_accuracy (max)",
            "has 2 objectives",
            "there is no file",
            "cannot be read as a storage of Optuna",
        ],
        strict=True,
    ):
        assert words in text
    assert not (tmp_path / "none.db").exists()


def test_what_we_export_to_optuna_comes_back(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    from tune_jobs import export_study

    run = whole_run(tmp_path)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    export_study(run, url)
    _, events = gather([url], DECLARED)
    assert [config for config, *_ in results(events)] == [config for config, *_ in results(gather([run], DECLARED)[1])]
    other = experiment(space=SPACE, objective=Objective("val_auc", "max"))
    assert "was for val_accuracy (max)" in problems(url, declared=other)[0]
    assert gather([WarmStart(url, metric="val_accuracy")], other)[0][0].of == 3


def their_search(folder: Path, direction: str = "max") -> Path:
    space = [
        {
            "class_name": "Float",
            "config": {
                "name": "rate",
                "default": 0.001,
                "min_value": 0.001,
                "max_value": 0.01,
                "step": None,
                "sampling": None,
                "conditions": [],
            },
        },
        {
            "class_name": "Int",
            "config": {
                "name": "units_0",
                "default": 16,
                "min_value": 16,
                "max_value": 64,
                "step": 16,
                "sampling": "linear",
                "conditions": [],
            },
        },
    ]
    for number, score in enumerate([0.9, 0.7, None]):
        observed = [] if score is None else [{"value": [score], "step": 3}]
        state = {
            "trial_id": str(number),
            "hyperparameters": {"space": space, "values": {"rate": 0.001 * (number + 1), "units_0": 32, "layers": 1}},
            "metrics": {"metrics": {"val_accuracy": {"direction": direction, "observations": observed}}},
            "score": score,
            "best_step": 3,
            "status": "COMPLETED" if score else "FAILED",
            "message": None,
        }
        file = folder / f"trial_{number}" / "trial.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(state))
    oracle = {"hyperparameters": {"space": space, "values": {}}, "start_order": ["0", "1", "2"]}
    (folder / "oracle.json").write_text(json.dumps(oracle))
    return folder


def test_a_folder_of_keras_tuner(tmp_path: Path) -> None:
    folder = their_search(tmp_path / "theirs")
    assert find_sources([str(folder)], tmp_path) == [folder]
    ((taken,), events) = gather([folder], DECLARED)
    assert str(taken).startswith(
        f"warm start from {folder}: 3 of 3 results used; optimizer, bias are not in all of them"
    )
    assert [(config["rate"], config["units"], reports, status) for config, reports, status in results(events)] == [
        (0.001, [32], {9: 0.9}, Status.COMPLETED),
        (0.002, [32], {9: 0.7}, Status.COMPLETED),
        (0.003, [32], {}, Status.FAILED),
    ]
    inverted = their_search(tmp_path / "inverted", "min")
    broken = their_search(tmp_path / "broken")
    (broken / "trial_1" / "trial.json").write_text("{")
    auc = experiment(space=SPACE, objective=Objective("val_auc", "max"))
    assert "was for val_accuracy (min)" in problems(inverted)[0]
    assert "is damaged" in problems(broken)[0]
    assert "has no val_auc, which is the objective" in problems(folder, declared=auc)[0]


def test_a_frame_of_another_library(tmp_path: Path) -> None:
    frame = pd.DataFrame({"rate": [0.001, 0.002], "units_0": [16, 32.0], "layers": [1, 1], "val_accuracy": [0.5, None]})
    ((taken,), events) = gather([frame], DECLARED)
    assert str(taken).startswith("warm start from the table: 1 of 2 results used: 1 without a value")
    assert results(events)[0][0]["units"] == [16]


def test_constraints_and_further_objectives_need_their_metrics(tmp_path: Path) -> None:
    declared = experiment(space=SPACE, constraints=["parameters <= 100"])
    (tmp_path / "with.csv").write_text(
        "rate,layers,units_0,val_accuracy,parameters\n0.001,1,16,0.5,90\n0.001,1,32,0.6,\n"
    )
    (tmp_path / "without.csv").write_text("rate,val_accuracy\n0.001,0.5\n")
    ((taken,), events) = gather([tmp_path / "with.csv"], declared)
    assert "1 of 2 results used: 1 without parameters" in str(taken)
    (report,) = (event for event in events if isinstance(event, EpochReported))
    assert report.metrics == {"val_accuracy": 0.5, "parameters": 90}
    assert "0 of 1 result used: 1 without parameters" in problems(tmp_path / "without.csv", declared=declared)[0]
