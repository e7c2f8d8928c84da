"""The variables that Ray reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from tune_jobs.engine.on_ray.session import RAY_VARIABLES, home_variables, own_ray_variables, token_variables


def test_a_person_without_a_token_gets_none_in_the_home_folder(tmp_path: Path) -> None:
    (own,) = token_variables({"HOME": str(tmp_path)}).items()
    assert (own[0], len(own[1])) == ("RAY_AUTH_TOKEN", 64)
    assert token_variables({"HOME": "/dev/null/home", "RAY_AUTH_MODE": "token"}) == dict([own])
    assert token_variables({}) == dict([own])


@pytest.mark.parametrize(
    "environment", [{"RAY_AUTH_MODE": "disabled"}, {"RAY_AUTH_TOKEN": "mine"}, {"RAY_AUTH_TOKEN_PATH": "/mine"}]
)
def test_what_a_person_has_chosen_counts(environment: dict[str, str]) -> None:
    assert token_variables(environment) == {}


def test_a_ray_of_our_own_keeps_no_history_unless_the_person_wants_one(tmp_path: Path) -> None:
    own = {"HOME": "/root", "RAY_AUTH_TOKEN": "mine"}
    assert own_ray_variables(own, tmp_path) == {"RAY_task_events_report_interval_ms": "0"}
    assert own_ray_variables({**own, "RAY_task_events_report_interval_ms": "500"}, tmp_path) == {}


def test_a_token_in_the_home_folder_counts(tmp_path: Path) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("mine")
    assert token_variables({"HOME": str(tmp_path)}) == {}


def test_a_process_without_a_home_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    assert home_variables({"HOME": "/root"}, tmp_path) == {}
    monkeypatch.setattr(Path, "home", no_home)
    assert home_variables({}, tmp_path) == {"HOME": str(tmp_path)}


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
