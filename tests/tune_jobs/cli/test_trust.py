"""Whose code is run: a file that the user named, now or when the run began here; any other only after a yes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.cli_runs import make_digits_run
from tune_jobs.cli import reload_experiment
from tune_jobs.cli.main import main
from tune_jobs.experiment.origin import is_begun_here, origin_of
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Run

READERS = (["leaderboard"], ["curves"], ["path"], ["compare"], ["runs"], ["list"])
RUNNERS = (["evaluate", "RUN"], ["export", "RUN", "a.keras"], ["refit", "RUN", "a.keras"], ["resume", "RUN"])
STOPS = "\nraise RuntimeError('it was run')\n"
Invoke = Callable[..., Result]


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNE_JOBS_STORAGE", raising=False)
    return lambda *words, **options: CliRunner().invoke(main, [str(word) for word in words], **options)


def file_of_a_stranger(folder: Path) -> Path:
    """Make a file that leaves a mark where it lies when it is run."""
    path = folder / "stranger.py"
    path.write_text(f"open({str(folder / 'executed')!r}, 'w').close(){STOPS}")
    return path


def naming(run: Run, reference: str, **entries: object) -> None:
    path = run.folder / EXPERIMENT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "reference": reference, **entries}))


@pytest.mark.parametrize("words", RUNNERS, ids=lambda words: words[0])
def test_a_file_that_a_run_names_is_not_run_unasked(tmp_path: Path, invoke: Invoke, words: list[str]) -> None:
    path = file_of_a_stranger(tmp_path)
    naming(make_digits_run("runs", "mailed"), f"{path}:EXPERIMENT")
    words = ["mailed" if word == "RUN" else word for word in words]
    refused = invoke(*words)
    assert refused.exit_code == 2
    assert f"the file {path}" in refused.output
    assert f"--experiment {path}:EXPERIMENT, or add --trust-code" in refused.output
    assert not (tmp_path / "executed").exists()
    for yes in (["--trust-code"], ["--experiment", str(path)]):
        told = invoke(*words, *yes)
        assert (told.exit_code, "it was run" in told.output) == (2, True), told.output
        assert (tmp_path / "executed").exists()
        (tmp_path / "executed").unlink()


@pytest.mark.parametrize(("answer", "is_run"), [("y\n", True), ("n\n", False), ("\n", False), ("", False)])
def test_on_a_terminal_the_user_is_asked(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, answer: str, is_run: bool
) -> None:
    monkeypatch.setattr(reload_experiment, "can_ask", lambda: True)
    path = file_of_a_stranger(tmp_path)
    naming(make_digits_run("runs", "mailed"), f"{path}:EXPERIMENT")
    asked = invoke("evaluate", "mailed", input=answer)
    assert f"names the file {path}" in asked.stderr
    assert "Run it? [y/N]" in asked.stderr
    assert (tmp_path / "executed").exists() == is_run
    assert asked.exit_code == (1 if answer == "" else 2)


def test_a_module_is_found_without_importing_its_package(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "mailed_package").mkdir()
    for name in ("__init__.py", "model.py"):
        (tmp_path / "mailed_package" / name).write_text(f"open('executed', 'w').close(){STOPS}")
    naming(make_digits_run("runs", "mailed"), "mailed_package.model:EXPERIMENT")
    refused = invoke("evaluate", "mailed")
    assert refused.exit_code == 2
    assert str(tmp_path / "mailed_package" / "model.py") in refused.output
    naming(Run("runs/mailed"), "mailed_package.other:EXPERIMENT")
    assert "the experiment mailed_package.other:EXPERIMENT" in invoke("evaluate", "mailed").output
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("reference", ["PATH:EXPERIMENT", "begun_here:EXPERIMENT"])
def test_a_file_with_which_the_user_began_a_run_here_is_run(tmp_path: Path, invoke: Invoke, reference: str) -> None:
    path = tmp_path / "begun_here.py"
    path.write_text("")
    reference = reference.replace("PATH", str(path))
    own = origin_of(reference)
    naming(make_digits_run("runs", "own"), reference, origin=own)
    assert f"{'begun_here' if ':' in reference else ''}" in invoke("evaluate", "own").output
    assert "has no EXPERIMENT" in invoke("evaluate", "own").output
    shutil.copytree("runs/own", "runs/copied")
    assert "has no EXPERIMENT" in invoke("evaluate", "copied").output
    (tmp_path / "elsewhere.py").write_text("")
    naming(Run("runs/own"), f"{tmp_path / 'elsewhere.py'}:EXPERIMENT")
    assert "--trust-code" in invoke("evaluate", "own").output
    path.rename(tmp_path / "moved.py")
    assert not is_begun_here({"reference": reference, "origin": own})
    path.symlink_to(tmp_path / "moved.py")
    assert not is_begun_here({"reference": reference, "origin": own})


@pytest.mark.parametrize("origin", [None, 1, [], {}, "", "0" * 64, "é" * 64])
def test_an_origin_that_is_made_up_proves_nothing(tmp_path: Path, origin: object) -> None:
    (tmp_path / "a.py").write_text("")
    assert not is_begun_here({"reference": str(tmp_path / "a.py"), "origin": origin})
    assert not is_begun_here({"reference": 5, "origin": origin})


@pytest.mark.parametrize("words", READERS, ids=lambda words: words[0])
def test_reading_runs_nothing_of_a_run(tmp_path: Path, invoke: Invoke, words: list[str]) -> None:
    path = file_of_a_stranger(tmp_path)
    for name in ("first", "second"):
        naming(make_digits_run("runs", name), f"{path}:EXPERIMENT")
    runs = {"compare": ["first", "second"], "runs": [], "list": []}.get(words[0], ["first"])
    output = ["--output", "curves.png"] if words[0] == "curves" else []
    result = invoke(*words, *runs, *output)
    assert result.exit_code == (2 if words[0] == "path" else 0), result.output  # it was no sweep
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("words", RUNNERS[:3], ids=lambda words: words[0])
def test_what_has_changed_is_said_before_any_figure(invoke: Invoke, words: list[str]) -> None:
    naming(make_digits_run("runs", "changed"), "digits_mlp", helpers={"helper.scale": "0"})
    words = ["changed" if word == "RUN" else word for word in words]
    refused = invoke(*words)
    assert refused.exit_code == 2
    assert "The code has changed: " in refused.output
    assert "helper.scale" in refused.output
    forced = invoke(*words, "--force", "--trial", "7")  # which there is not: nothing is trained
    assert forced.exit_code == 2
    note, error = forced.stderr.splitlines()
    assert note.startswith("note: The code has changed: ")
    assert "no trial 7" in error
