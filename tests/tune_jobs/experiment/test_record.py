"""The record of a run: its form, the experiment that it restores, and what has changed since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search_spaces import Float, SearchSpace
from tests.support.fakes import MemoryEventLog, NeverTrained, experiment
from tune_jobs import engine
from tune_jobs.engine import runner
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.run_folder.create import create_folder
from tune_jobs.errors import RequestError
from tune_jobs.experiment.code_fingerprint import code_fingerprints
from tune_jobs.experiment.record import (
    ChangedSinceTraining,
    accept_changes,
    differences,
    restore_experiment,
    write_record,
)
from tune_jobs.experiment.resources import Resources
from tune_jobs.results.run import Repeat
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import HyperOpt, Random


def record_of(declared: Any) -> dict[str, Any]:
    return json.loads(json.dumps(write_record("a", declared, "name", None)))


EXPERIMENT_JSON = """{
  "format": 1,
  "name": "a",
  "experiment": "name",
  "reference": "reference",
  "origin": null,
  "repeat": {
    "of": "group",
    "number": 1,
    "count": 3
  },
  "created_s": 1.0,
  "trainable": "tests.support.fakes:NeverTrained",
  "space": {
    "parameters": [
      {
        "name": "x",
        "kind": "Float",
        "lower": 0.0,
        "upper": 1.0
      }
    ]
  },
  "objective": {
    "metric": "val_accuracy",
    "mode": "max"
  },
  "searcher": {
    "kind": "hyperopt",
    "points": [
      {
        "x": 0.5
      }
    ],
    "startup_trials": 10,
    "gamma": 0.5,
    "candidates": 24,
    "prior_weight": 1.0
  },
  "scheduler": {
    "kind": "asha",
    "grace_period": 1,
    "reduction_factor": 3,
    "brackets": 1
  },
  "max_epochs": 9,
  "trials": 7,
  "time_budget_s": 5,
  "total_epochs": 50,
  "executions": 3,
  "fraction": 0.25,
  "resources": {
    "cpus": 2,
    "gpus": "auto",
    "memory_bytes": 1000000000,
    "custom": {
      "a100": 1
    }
  },
  "max_concurrent_trials": 3,
  "on_oom": "grow",
  "seed": 3,
  "checkpoint_every_s": 5,
  "max_retries": 0,
  "same_failures": 2,
  "trial_timeout_s": 7.5,
  "keep": "all",
  "objectives": [],
  "constraints": [],
  "together": 1,
  "code": {
    "NeverTrained": "0123456789abcdef"
  },
  "helpers": {},
  "versions": {}
}"""


def test_the_form_of_experiment_json_stays_as_it_is() -> None:
    declared = experiment(
        searcher=HyperOpt(points=[{"x": 0.5}], gamma=0.5),
        trials=7,
        time_budget_s=5,
        total_epochs=50,
        executions=3,
        fraction=0.25,
        resources=Resources(2, "auto", 10**9, {"a100": 1}),
        max_concurrent_trials=3,
        on_oom="grow",
        seed=3,
        checkpoint_every_s=5,
        max_retries=0,
        same_failures=2,
        trial_timeout_s=7.5,
        keep="all",
    )
    record = write_record("a", declared, "name", "reference", Repeat("group", 1, 3))
    differs_by_version = {"created_s": 1.0, "code": {"NeverTrained": "0123456789abcdef"}, "helpers": {}, "versions": {}}
    assert json.dumps({**record, **differs_by_version}, indent=2) == EXPERIMENT_JSON


def test_an_experiment_is_restored_with_the_options_that_it_had() -> None:
    used = experiment(
        trials=7,
        searcher=HyperOpt(points=[{"x": 0.5}], gamma=0.5),
        scheduler=NoScheduler(),
        seed=3,
        total_epochs=50,
        executions=3,
        fraction=0.25,
    )
    today = experiment(searcher=Random(), executions=2, fraction=0.5)
    restored = restore_experiment(today, record_of(used))
    assert record_of(restored)["searcher"] == record_of(used)["searcher"]
    assert (restored.trials, restored.seed, restored.total_epochs, restored.scheduler) == (7, 3, 50, NoScheduler())
    assert (restored.executions, restored.fraction) == (3, 0.25)
    assert restore_experiment(today, record_of(used), trials=9, total_epochs=None).trials == 9
    assert differences(restored, record_of(used)) == []


def test_a_run_of_an_earlier_version_goes_on_as_it_was() -> None:
    record = record_of(experiment())
    for name in ("max_retries", "trial_timeout_s", "executions", "fraction", "keep"):
        del record[name]
    restored = restore_experiment(experiment(executions=2, fraction=0.5), record)
    assert (restored.executions, restored.fraction, restored.keep, restored.max_retries) == (1, 1.0, "all", 3)
    assert restore_experiment(experiment(), record, max_retries=7, trial_timeout_s=60.0).max_retries == 7


@pytest.mark.parametrize(
    "damage",
    [
        *({"searcher": {"kind": "unheard of"}}, {"searcher": {"kind": []}}, {"searcher": ["x"]}, {"searcher": "abc"}),
        *({"scheduler": {}}, {"scheduler": 3}, {"resources": {"x": 1}}, {"resources": [[1, 2]]}),
    ],
)
def test_a_damaged_record_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"experiment\.json"):
        restore_experiment(experiment(), {**record_of(experiment()), **damage})


def test_a_changed_space_is_shown_with_the_difference() -> None:
    wider = experiment(space=SearchSpace(x=Float(0.0, 2.0)))
    (sentence,) = differences(wider, record_of(experiment()))
    assert sentence.startswith("The search space has changed: - x Float")
    assert "0 … 1" in sentence
    assert "0 … 2" in sentence


def test_changed_code_is_shown_by_the_name_of_its_class() -> None:
    record = record_of(experiment())
    record["code"] = {name: "0" for name in record["code"]}
    assert differences(experiment(), record) == ["The code has changed: NeverTrained."]
    assert list(code_fingerprints(NeverTrained)) == ["NeverTrained"]


def test_changed_code_that_a_class_uses_is_shown_unless_an_older_version_began_the_run() -> None:
    record = record_of(experiment())
    assert record["helpers"], "the class uses Keras at least"
    record["helpers"] = {**record["helpers"], "helper.scale": "0"}
    assert differences(experiment(), record) == ["The code has changed: helper.scale."]
    del record["helpers"]
    assert differences(experiment(), record) == []


def test_what_has_changed_is_told_even_where_it_is_accepted() -> None:
    with pytest.raises(RequestError) as refused:
        accept_changes(["One.", "Two."], "Undo that.", force=False)
    assert refused.value.problems == ("One.", "Two. Undo that.")
    with pytest.warns(ChangedSinceTraining) as told:
        accept_changes(["One.", "Two."], "Undo that.", force=True)
    assert [str(warning.message) for warning in told] == ["One.", "Two."]
    accept_changes([], "Undo that.", force=False)


def test_a_run_that_cannot_go_on_is_left_as_it_was(tmp_path: Path) -> None:
    made = create_folder(tmp_path, "first", experiment(), "name")
    before = (made / "experiment.json").read_bytes()
    with pytest.raises(RequestError, match="--force"):
        engine.resume(made, experiment(space=SearchSpace(x=Float(0.0, 2.0)), trials=99))
    assert (made / "experiment.json").read_bytes() == before
    assert sorted(path.name for path in made.iterdir()) == ["experiment.json", "trials"]


def test_workers_on_other_nodes_are_told_the_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_folder(tmp_path, "first", experiment(), "name")
    told: list[Path] = []
    monkeypatch.setattr(runner, "drive", lambda folder, *others, **named: told.append(folder.path))
    monkeypatch.chdir(tmp_path)
    engine.resume("first", experiment())
    assert told == [made]


def test_resumed_with_fewer_trials_than_it_has_nothing_is_proposed() -> None:
    record = MemoryEventLog()
    begun = Coordinator(experiment(trials=3, searcher=Random()), record)
    for trial in range(3):
        begun.propose()
        begun.start(trial, "here")
        begun.report(trial, {"error": "ValueError: no"})
    again = Coordinator(experiment(trials=1, searcher=Random()), MemoryEventLog())
    again.replay(record.events)
    assert again.propose() is None
    assert again.is_idle
