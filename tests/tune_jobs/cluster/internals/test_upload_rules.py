"""Ray's rules of what it sends are those that we know; without them a submission is checked less, and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_cluster import FakeServer
from tune_jobs.cluster.internals import NotInThisRay
from tune_jobs.cluster.internals.upload_rules import visit_files_sent
from tune_jobs.cluster.jobs import submit as submitting
from tune_jobs.errors import RequestError

PACKAGING = "ray._private.runtime_env.packaging"
NAMES = [
    f"{PACKAGING}._dir_travel",
    f"{PACKAGING}._get_excludes",
    "ray._private.ray_constants.get_runtime_env_default_excludes",
    "ray._private.ray_constants.RAY_RUNTIME_ENV_IGNORE_GITIGNORE",
]


def test_the_names_are_those_of_this_ray(tmp_path: Path) -> None:
    (tmp_path / "kept.py").touch()
    (tmp_path / "left.npz").touch()
    (tmp_path / ".gitignore").write_text("*.npz\n")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "kept.pyc").touch()
    visited: list[Path] = []
    visit_files_sent(tmp_path, ["__pycache__"], visited.append)
    assert {path.name for path in visited if path.is_file()} == {"kept.py", ".gitignore"}


@pytest.mark.parametrize("name", NAMES)
def test_without_a_name_that_is_said(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(name)
    with pytest.raises(NotInThisRay, match=name.rpartition(".")[2]):
        visit_files_sent(tmp_path, [], print)


def test_with_other_parameters_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def travel(folder: Path) -> None:
        raise AssertionError(folder)

    monkeypatch.setattr(f"{PACKAGING}._dir_travel", travel)
    with pytest.raises(NotInThisRay, match=r"unexpected keyword|positional argument"):
        visit_files_sent(tmp_path, [], print)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeServer:
    server = FakeServer()
    monkeypatch.setattr(submitting, "reach", lambda _: server)
    monkeypatch.delattr(f"{PACKAGING}._dir_travel")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.py").write_text("from tune_jobs.examples.digits_mlp import EXPERIMENT\n")
    return server


def test_a_submission_goes_on_without_them_and_notes_it(server: FakeServer, tmp_path: Path) -> None:
    job = submitting.submit("lab.py", address=server.address, storage="/mnt/runs")
    assert server.jobs.submitted[0]["runtime_env"]["working_dir"] == str(tmp_path)
    [note] = job.notes
    assert f"The size of the folder {tmp_path} was not checked: Ray" in note
    assert "_dir_travel" in note


def test_checks_that_can_do_without_them_are_still_made(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(RequestError, match="does not lie in the folder"):
        submitting.submit("lab.py", address=server.address, storage="/mnt/runs", working_dir="other")


def test_a_submission_goes_on_where_the_dashboard_tells_nothing(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> Any:
        raise NotInThisRay("/api/v0/nodes gave status 404")

    monkeypatch.setattr(server, "cluster", unknown)
    job = submitting.submit("digits_mlp", address=server.address)
    [note] = job.notes
    assert "The nodes of the cluster were not looked at" in note
    assert "/api/v0/nodes gave status 404" in note
    server.ray = "2.50.0"  # what is public is checked all the same
    with pytest.raises(RequestError, match=r"runs Ray 2\.50\.0"):
        submitting.submit("digits_mlp", address=server.address)
