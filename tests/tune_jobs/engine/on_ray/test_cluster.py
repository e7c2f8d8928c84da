"""What a process takes to a cluster, which addresses it refuses, and how a folder is looked at from a node."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tune_jobs.engine.on_ray import cluster as joining
from tune_jobs.engine.on_ray.storage_check import node_problems, shared_folder
from tune_jobs.errors import RequestError
from tune_jobs.host.environment import forwarded, variables_set
from tune_jobs.host.shipping import modules_to_send, own_folders


def names(paths: list[str]) -> list[str]:
    return [Path(path).name for path in paths]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    for name in ("experiment.py", "parts.py", "not-a-module.py", "notes.txt"):
        (tmp_path / name).write_text("")
    for folder in ("layers", "data", ".venv", "later"):
        (tmp_path / folder).mkdir()
    for package in ("layers", ".venv"):
        (tmp_path / package / "__init__.py").write_text("")
    return tmp_path


def test_files_and_packages_beside_an_experiment_are_sent(lab: Path) -> None:
    assert sorted(names(modules_to_send([str(lab)]))) == ["experiment.py", "layers", "parts.py"]


def test_what_every_worker_has_a_copy_of_is_not_sent(lab: Path) -> None:
    assert modules_to_send([str(lab)], working_dir=str(lab / "later" / "..")) == []
    (lab / "later" / "deep.py").write_text("")
    assert names(modules_to_send([str(lab / "later"), str(lab)], working_dir=str(lab))) == ["deep.py"]


def test_of_two_modules_of_a_name_the_one_that_is_found_first_is_sent(lab: Path) -> None:
    (lab / "later" / "parts.py").write_text("")
    sent = modules_to_send([str(lab / "later"), str(lab)])
    assert str(lab / "later" / "parts.py") in sent
    assert names(sent).count("parts.py") == 1


def test_what_is_installed_is_not_ones_own(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(lab))
    assert str(lab) in own_folders()
    assert str(Path(pytest.__file__).parent.parent) not in own_folders()
    assert str(Path(socket.__file__).parent) not in own_folders()


def test_only_what_a_computation_depends_on_is_forwarded() -> None:
    environment = {"KERAS_BACKEND": "jax", "TF_X": "1", "XLA_FLAGS": "y", "JAX_PLATFORMS": "cpu"}
    others = {"TF_CONFIG": "{}", "AWS_SECRET_ACCESS_KEY": "s", "RAY_AUTH_TOKEN": "t", "HOME": "/root"}
    assert forwarded({**environment, **others}) == environment


def test_variables_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TJ_A", "1")
    monkeypatch.delenv("TJ_B", raising=False)
    with variables_set({"TJ_A": "2", "TJ_B": "3"}):
        assert forwarded({}) == {}
        assert (joining.os.environ["TJ_A"], joining.os.environ["TJ_B"]) == ("2", "3")
    assert joining.os.environ["TJ_A"] == "1"
    assert "TJ_B" not in joining.os.environ


@pytest.mark.parametrize(("value", "address"), [("", None), ("local", None), ("auto", "auto"), ("a:1", "a:1")])
def test_the_address_is_rays_own_variable(monkeypatch: pytest.MonkeyPatch, value: str, address: str | None) -> None:
    monkeypatch.setenv("RAY_ADDRESS", value)
    assert joining.cluster_address() == address


@pytest.mark.parametrize("address", ["ray://head:10001", "http://head:8265", "head", "head:port", ":", "head:"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(RequestError, match="must be host:port"):
        joining.join(address)


def test_an_address_that_nothing_listens_at_is_refused_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RequestError, match=rf"No Ray answers at 127.0.0.1:{port} \(Connection refused\)"):
        joining.join(f"127.0.0.1:{port}")


def test_what_workers_get_adds_to_what_the_job_has(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab)
    monkeypatch.setattr(joining, "own_folders", lambda: [str(lab), str(lab / "layers")])
    sent = joining._runtime_env({"working_dir": "gcs://a.zip", "py_modules": ["gcs://b.zip"]})
    assert sent["py_modules"] == ["gcs://b.zip"]
    assert len(joining._runtime_env({})["py_modules"]) == 3
    monkeypatch.setattr(joining, "own_folders", list)
    assert "py_modules" not in joining._runtime_env({})


def test_a_folder_is_told_from_another_of_its_name_by_what_is_in_it(tmp_path: Path) -> None:
    folder = shared_folder(str(tmp_path))
    assert folder.look(".seen-1", "token") == f"does not see the folder {tmp_path}"
    folder.mark(".seen-1", "token")
    assert folder.look(".seen-1", "token") is None
    assert folder.look(".seen-1", "other") == f"has another folder {tmp_path}"
    assert [path.name for path in tmp_path.iterdir()] == [".seen-1"]
    folder.mark(".seen-2", "token")  # the first was left by a driver that was killed
    assert [path.name for path in tmp_path.iterdir()] == [".seen-2"]
    folder.unmark(".seen-2")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_an_object_store_is_asked_the_same(tmp_path: Path) -> None:
    folder = shared_folder(tmp_path.as_uri())
    assert folder.look(".seen-1", "token") == f"does not see the folder {tmp_path.as_uri()}"
    folder.mark(".seen-1", "token")
    assert folder.look(".seen-1", "token") is None
    assert folder.look(".seen-1", "other") == f"has another folder {tmp_path.as_uri()}"
    folder.unmark(".seen-1")
    assert list(tmp_path.iterdir()) == []
    assert "give each the credentials" in folder.rule


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".seen-1").write_text("token")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    assert (
        shared_folder(str(tmp_path)).look(".seen-1", "token") == f"cannot use the folder {tmp_path} (Permission denied)"
    )


def test_a_node_that_died_while_it_was_asked_is_not_blamed() -> None:
    answers = {"a": None, "b": "does not see the folder runs", "c": "cannot run trials: it is gone"}
    assert node_problems(answers, {"a": "first", "b": "second"}) == ["The node second does not see the folder runs."]
