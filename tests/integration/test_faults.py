"""A run that is killed again and again ends as one that never was; `make faults` kills more often."""

from __future__ import annotations

from pathlib import Path

import faults
import pytest
from fault_cluster import FaultCluster
from fault_lab import FaultLab

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]


def test_nothing_is_lost(tmp_path: Path, ray_folder: Path) -> None:
    cluster = FaultCluster(ray_folder, nodes=2)
    try:
        lab = FaultLab(tmp_path, ray_folder, cluster)
        kills = faults.shoot(lab, kills=3, seed=0)
        assert list(faults.wrongs(lab, kills)) == []
    finally:
        cluster.end()
    assert [kill.kind for kill in kills] == ["driver", "worker", "node"]
    assert sum(len(kill.saved) for kill in kills) > 0
