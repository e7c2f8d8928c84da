"""The data of a run: what is sent, what each worker opens, and the CPUs that Ray Data needs."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import ray
import tensorflow as tf

from tests.support import fakes
from tests.support.sources import Batches, Logistic, X, Y, batches, dataset
from trainables import Data, Hypergradient
from tune_jobs.engine.data import can_be_sent, capacity_problems, cpus_for_data, data_to_send, ray_init_waits
from tune_jobs.errors import RequestError
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine, Node


class Large(Batches):
    def __init__(self) -> None:
        super().__init__()
        self.examples = np.zeros(2**22, np.float64)


@pytest.mark.parametrize(
    ("split", "expected"),
    [((X, Y), True), (None, True), (batches, True), (Batches(), True), (Large(), False), (dataset(), False)],
)
def test_arrays_and_small_sources_are_sent(split: Any, expected: bool) -> None:
    assert can_be_sent(split) is expected


def loading(data: Any, **attributes: Any) -> Any:
    return fakes.experiment(trainable=type("Loading", (Logistic,), {"load_data": lambda self: data, **attributes}))


def test_what_cannot_be_sent_is_opened_by_the_workers() -> None:
    assert data_to_send(loading(Data((X, Y), dataset()))) is None
    assert data_to_send(loading(Data((X, Y), batches))) is not None
    assert data_to_send(loading(None, opens_data_in_workers=True)) is None


def test_data_without_an_end_has_no_part() -> None:
    experiment = loading(Data(tf.data.Dataset.from_tensor_slices((X, Y)).repeat()))
    with pytest.raises(RequestError, match="without an end"):
        data_to_send(experiment.override(fraction=0.5))


def test_the_share_that_is_read_of_a_source_is_told() -> None:
    told: list[str] = []
    data_to_send(loading(Data((X, Y), batches)).override(fraction=0.3), told.append)
    assert told == [
        "Data.validation, a function that returns a generator, is read in part: a plain share of 30 % of what it "
        "yields, evenly spread, whatever the classes."
    ]
    data_to_send(loading(None, opens_data_in_workers=True).override(fraction=0.3), told.append)
    assert told[1].startswith("Each split that is a source is read in part: a plain share of 30 %")
    data_to_send(loading(Data((X, Y), (X, Y))).override(fraction=0.3), told.append)
    data_to_send(loading(Data((X, Y), batches)), told.append)
    assert len(told) == 2


def test_cpus_that_ray_data_needs_get_no_trial() -> None:
    two = Machine((Node(cpus=2),))
    assert capacity_problems(two, Resources(cpus=1), 1) == []
    assert capacity_problems(two, Resources(cpus=2), 0) == []
    (problem,) = capacity_problems(two, Resources(cpus=2), 1)
    assert "1 of the 2 CPUs are kept for the tasks of Ray Data (data_cpus), so no trial with 2 CPUs fits" in problem
    assert two.without_cpus(1).trials_that_fit(Resources(cpus=1)) == 1
    declared = type("Declared", (Logistic,), {"data_cpus": 3})
    assert (cpus_for_data(declared, None), cpus_for_data(Logistic, Data((X, Y)))) == (3, 0)


def test_a_second_ray_waits_for_the_first() -> None:
    start, calls = ray.init, []
    with ray_init_waits(lambda: calls.append(threading.get_ident())):
        ray.init()
    assert calls == [threading.get_ident()]
    assert ray.init is start


def test_a_split_that_a_hypergradient_cannot_measure_on_is_refused_in_the_driver() -> None:
    declared = {"hypergradient": Hypergradient()}
    with pytest.raises(RequestError, match="There is no validation split to measure on"):
        data_to_send(loading(Data((X, Y)), **declared))
    with pytest.raises(RequestError, match=r"Data\.validation is a tf\.data\.Dataset, but must be arrays"):
        data_to_send(loading(Data((X, Y), dataset()), **declared))
    assert data_to_send(loading(Data((X, Y), (X, Y)), **declared)) is not None
