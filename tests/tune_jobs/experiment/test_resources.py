"""The resources of a trial: checked as a whole, requested from Ray, recorded and changed."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces.checked import InvalidDeclaration
from tests.support.fakes import experiment
from tune_jobs.experiment.overrides import Overrides
from tune_jobs.experiment.record import restore_experiment, write_record
from tune_jobs.experiment.resources import Resources


@pytest.mark.parametrize("gpus", [0, 0.25, 1, 2.0, "auto"])
def test_parts_whole_ones_and_auto_are_gpus(gpus: Any) -> None:
    assert Resources(gpus=gpus).problems() == []


@pytest.mark.parametrize("gpus", [-1, 1.5, "all", None, True, False, float("nan"), float("inf")])
def test_other_gpus_are_refused(gpus: Any) -> None:
    with pytest.raises(InvalidDeclaration, match="`gpus`"):
        Resources(gpus=gpus)


def test_all_mistakes_are_listed_at_once() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        Resources(cpus=0, gpus=2.5, memory_bytes=1.5, custom={"GPU": 1, "": 1, "a100": 0, "tpu": "x"})  # type: ignore[dict-item, arg-type]
    problems = caught.value.problems
    assert len(problems) == 7
    assert "'GPU', but must not be: use gpus" in problems[3]
    assert "custom['a100']" in problems[5]


@pytest.mark.parametrize("name", ["cpu", "CPUs", "gpus", "Memory", "memory_bytes", "object_store_memory"])
def test_a_custom_resource_has_no_name_that_stands_for_a_field(name: str) -> None:
    with pytest.raises(InvalidDeclaration, match=f"'{name}', but must not be: use (cpus|gpus|memory_bytes)"):
        Resources(custom={name: 1})


@pytest.mark.parametrize("custom", [3, None, ["a100"]])
def test_custom_resources_are_a_dictionary(custom: Any) -> None:
    with pytest.raises(InvalidDeclaration, match="`custom`"):
        Resources(custom=custom)


def test_ray_is_asked_for_all_of_them() -> None:
    assert Resources(cpus=2, gpus=0.5).to_ray() == {"cpu": 2, "gpu": 0.5}
    whole = Resources(gpus="auto", memory_bytes=2**30, custom={"a100": 0.5})
    assert whole.to_ray() == {"cpu": 1, "gpu": 1, "memory": 2**30, "a100": 0.5}
    assert whole.to_ray(gpus=0.25)["gpu"] == 0.25


def test_they_are_recorded_and_restored() -> None:
    declared = experiment(resources=Resources(2, "auto", 10**9, {"a100": 1}), on_oom="grow")
    record = write_record("run", declared, "experiment", None)
    restored = restore_experiment(experiment(), record)
    assert (restored.resources, restored.on_oom) == (declared.resources, "grow")
    del record["on_oom"]  # as in a run that was begun before there was a choice
    assert (
        restore_experiment(experiment(on_oom="grow"), {**record, "resources": {"cpus": 1, "gpus": 0}}).on_oom == "fail"
    )


def test_the_command_line_changes_them() -> None:
    changed = Overrides(gpus="auto", memory_bytes=5).apply(experiment(resources=Resources(cpus=3, custom={"a": 1})))
    assert changed.resources == Resources(3, "auto", 5, {"a": 1})
    assert changed.override(on_oom="grow").on_oom == "grow"


def test_a_trial_out_of_memory_fails_or_grows() -> None:
    with pytest.raises(InvalidDeclaration, match="`on_oom`"):
        experiment(on_oom="retry")


@pytest.mark.parametrize("amount", [1e-320, 0.00009, 1e13, 1e301, pytest.param(10**400, id="10**400")])
def test_an_amount_that_ray_cannot_count_is_refused(amount: Any) -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        Resources(cpus=amount, gpus=amount, custom={"a100": amount})
    assert len(caught.value.problems) == 3
    if amount != 10**400:
        assert all("must be from 0.0001 to 1e+12: Ray counts" in problem for problem in caught.value.problems)
