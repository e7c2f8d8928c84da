"""A worker that does not see the run's folder says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainables.storage.retry import DELAYS_S
from trainables.storage.store import require


def test_a_folder_that_is_there_or_not_needed_is_not_waited_for(tmp_path: Path) -> None:
    waited: list[float] = []
    require(None, waited.append)
    require(str(tmp_path), waited.append)
    assert waited == []


def test_a_folder_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    require(str(folder), lambda seconds: folder.mkdir())


def test_a_folder_that_stays_away_is_told(tmp_path: Path) -> None:
    waited: list[float] = []
    with pytest.raises(FileNotFoundError, match=r"does not see the run's folder .*: mount the storage there"):
        require(str(tmp_path / "away"), waited.append)
    assert tuple(waited) == DELAYS_S
