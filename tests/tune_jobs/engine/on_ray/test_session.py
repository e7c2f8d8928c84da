"""The folders that Ray writes into, and the variables that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from tune_jobs.engine.on_ray.session import RAY_VARIABLES, ray_folder, remove_abandoned_folders


def test_what_killed_drivers_left_is_removed_and_what_lives_is_not(tmp_path: Path) -> None:
    for name in ("tune-jobs-dead", "tune-jobs-strange", "other"):
        (tmp_path / name / "session").mkdir(parents=True)
        if name != "tune-jobs-strange":
            (tmp_path / name / "lock").touch()
    with ray_folder(tmp_path) as alive:
        assert alive.name.startswith("tune-jobs-")
        remove_abandoned_folders(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["other", alive.name, "tune-jobs-strange"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "tune-jobs-strange"]


def _python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (Path(ray.__file__).parent / folder).rglob("*.py")


@pytest.mark.parametrize("variable", [*RAY_VARIABLES, "RAY_OVERRIDE_JOB_RUNTIME_ENV"])
def test_ray_still_reads_this_variable(variable: str) -> None:
    """One that Ray drops would be without effect, silently."""
    named = f'"{variable}"'
    assert any(
        named in file.read_text(encoding="utf-8") for file in _python_files("tune", "train", "_common", "_private")
    )
