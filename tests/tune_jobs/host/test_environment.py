"""What other processes are given: environment variables and a person's own modules."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tune_jobs.host.environment import forwarded, modules_to_send, own_folders, variables_set


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
        assert (os.environ["TJ_A"], os.environ["TJ_B"]) == ("2", "3")
    assert os.environ["TJ_A"] == "1"
    assert "TJ_B" not in os.environ
