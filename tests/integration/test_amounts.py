"""A real Ray counts amounts as we say that it does."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group

from tests.support.ray_node import RayNode
from tune_jobs.base.amounts import UNITS, to_units
from tune_jobs.host.capacity import trials_per_resource

pytestmark = pytest.mark.integration

NODE = {"CPU": 2, "GPU": 2, "disk": 1}
FIELDS = {"GPU": "gpus", "disk": "disk"}


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Iterator[None]:
    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    ray.init(
        address="local", num_cpus=2, num_gpus=2, resources={"disk": 1}, include_dashboard=False, _temp_dir=str(folder)
    )
    yield
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def reserved(name: str, amount: float, trials: int) -> Iterator[list[PlacementGroup]]:
    """Ask for what each of some trials needs, on a node that is free; give it back."""
    wait_for(lambda: ray.available_resources().get(name) == NODE[name])
    groups = [placement_group([{name: amount}]) for _ in range(trials)]
    yield groups
    for group in groups:
        remove_placement_group(group)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 300
    while not is_so():  # what a node has left is told a moment later
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.mark.parametrize("amount", [1 / 7, 0.57, 0.0003, 0.33335, 0.29])
def test_an_amount_is_rounded_down(amount: float) -> None:
    with reserved("disk", amount, 1) as (group,):
        assert group.wait(300)
        wait_for(lambda: round((1 - ray.available_resources()["disk"]) * UNITS) == to_units(amount))


@pytest.mark.parametrize(("name", "amount"), [("disk", 1 / 7), ("disk", 0.33335), ("GPU", 0.4), ("GPU", 1 / 3)])
def test_as_many_trials_fit_as_we_say(name: str, amount: float) -> None:
    trials = trials_per_resource(FIELDS[name], amount, NODE[name])
    assert RayNode(NODE).count({name: amount}, trials + 1) == trials
    with reserved(name, amount, trials) as groups:
        assert all(group.wait(300) for group in groups)
        one_more = placement_group([{name: amount}])
        assert not one_more.wait(1)
        remove_placement_group(one_more)
