"""A run that is killed again and again ends as one that never was; `make faults` kills more often."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import faults
from tests.support.fault_cluster import FaultCluster
from tests.support.fault_lab import FaultLab

pytestmark = pytest.mark.integration


def test_nothing_is_lost_on_one_machine(tmp_path: Path, ray_folder: Path) -> None:
    shot_at(FaultLab(tmp_path, ray_folder), ["driver", "worker", "driver"])


@pytest.mark.slow
def test_nothing_is_lost_on_a_cluster(tmp_path: Path, ray_folder: Path) -> None:
    cluster = FaultCluster(ray_folder, nodes=2)
    try:
        shot_at(FaultLab(tmp_path, ray_folder, cluster), ["driver", "worker", "node"])
    finally:
        cluster.end()


def shot_at(lab: FaultLab, kinds: list[str]) -> None:
    kills = faults.shoot(lab, kills=len(kinds), seed=0)
    assert list(faults.wrongs(lab, kills)) == []
    assert [kill.kind for kill in kills] == kinds
    assert sum(len(kill.saved) for kill in kills) > 0
