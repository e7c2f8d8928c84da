"""Files of a newer format: each is refused in a sentence that names the version that can read it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import tune_jobs
from tests.support.trained_runs import Blobs, experiment_of, trained_run
from trainables import TrialSettings
from trainables.settings import ControlValues
from trainables.storage.checkpoint import DiskCheckpoints
from trainables.storage.file_format import NewerFormatError, check_format, own_version
from tune_jobs.cli.main import main
from tune_jobs.errors import RequestError
from tune_jobs.results import JournalError, evaluations
from tune_jobs.results.layout import EXPERIMENT_FILE, JOURNAL_FILE, TRIALS_FOLDER
from tune_jobs.results.run import Run

OWN = version("tune-jobs")
INSTALL = r"reads formats up to 1\. To read it, install version 999\.1 of tune-jobs\."


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_run(tmp_path_factory.mktemp("runs")).folder


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return Run(shutil.copytree(trained, tmp_path / "runs" / "first"))


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> bytes:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path.read_bytes()


def make_newer(content: dict[str, Any]) -> None:
    content.update({"format": 7, "version": "999.1"})


def states(run: Run) -> list[Path]:
    return sorted(run.folder.glob("trials/*/*/state.json"))


def refused(*words: str) -> str:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.output


def test_a_record_of_a_newer_format_is_refused(run: Run) -> None:
    edit(run.folder / EXPERIMENT_FILE, lambda record: record.update(format=7, versions={"tune-jobs": "999.1"}))
    with pytest.raises(RequestError, match=INSTALL):
        Run(run.folder)
    for words in (["leaderboard", "first"], ["evaluate", "first"], ["resume", "first"]):
        assert "experiment.json cannot be read. It has format 7" in refused(*words)
    listed = CliRunner().invoke(main, ["runs"])
    assert listed.exit_code == 0
    assert "note: runs/first/experiment.json cannot be read. It has format 7" in listed.stderr
    edit(run.folder / EXPERIMENT_FILE, lambda record: record.update(versions={"tune-jobs": OWN}))
    with pytest.raises(RequestError, match=rf"install a version newer than {OWN} of tune-jobs"):
        Run(run.folder)


@pytest.mark.parametrize("format", ["1", 0, -1, 1.5, True, None, []])
def test_a_format_that_is_no_number_is_a_damage(run: Run, format: object) -> None:
    edit(run.folder / EXPERIMENT_FILE, lambda record: record.update(format=format))
    with pytest.raises(RequestError, match=r"is damaged \(its format is"):
        Run(run.folder)


@pytest.mark.parametrize("event", ["run_started", "header", "trial_started"])
def test_a_journal_of_a_newer_format_is_refused(run: Run, event: str) -> None:
    path = run.folder / JOURNAL_FILE
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(json.dumps({"event": event, "format": 7, "version": "999.1"}) + "\n" + "".join(lines[1:]))
    before = path.read_bytes()
    with pytest.raises(JournalError, match=rf"line 1 cannot be read\. It has format 7.*{INSTALL}"):
        run.events()
    for words in (["leaderboard", "first"], ["evaluate", "first", "--experiment", "digits_mlp", "--force"]):
        assert "install version 999.1 of tune-jobs" in refused(*words)
    with pytest.raises(JournalError, match=INSTALL):
        tune_jobs.resume(run.folder, experiment_of())
    assert path.read_bytes() == before


def test_a_journal_tells_its_format_where_a_run_starts(run: Run) -> None:
    first, *rest = map(json.loads, (run.folder / JOURNAL_FILE).read_text().splitlines())
    assert (first["event"], first["format"], first["version"]) == ("run_started", 1, OWN)
    assert not any("format" in line for line in rest)


def test_a_checkpoint_of_a_newer_format_is_refused(run: Run) -> None:
    for path in states(run):
        assert json.loads(path.read_text())["version"] == OWN
        edit(path, make_newer)
    with pytest.raises(RequestError, match=rf"epoch-000003 cannot be read\. It has format 7.*{INSTALL}"):
        tune_jobs.evaluate(run, experiment_of())
    with pytest.raises(RequestError, match=INSTALL):
        run.load_best_model()


def test_a_run_does_not_go_on_without_its_newer_checkpoints(run: Run) -> None:
    journal = run.folder / JOURNAL_FILE
    ended = [line for line in journal.read_text().splitlines(keepends=True) if '"run_ended"' not in line]
    journal.write_text("".join(line for line in ended if not ('"trial_ended"' in line and '"trial": 1' in line)))
    before = {path: edit(path, make_newer) for path in states(run)}
    written = journal.read_bytes()
    with pytest.raises(RequestError, match=INSTALL):
        tune_jobs.resume(run.folder, experiment_of())
    assert {path: path.read_bytes() for path in states(run)} == before
    assert journal.read_bytes() == written


def test_a_worker_does_not_start_a_trial_again_whose_checkpoint_is_newer(run: Run) -> None:
    before = {path: edit(path, make_newer) for path in states(run)}
    settings = TrialSettings(metric="val_accuracy", max_epochs=5, folder=str(run.folder / TRIALS_FOLDER))
    worker = Blobs.standalone(ControlValues(0, reported=3).wrap({"rate": 0.2}), settings=settings)
    report = worker.step()
    worker.cleanup()
    assert report["done"]
    assert "install version 999.1 of tune-jobs" in str(report["mistake"])
    assert {path: path.read_bytes() for path in states(run)} == before


def test_scores_of_a_newer_format_are_left_out_and_said(run: Run) -> None:
    (evaluation,) = tune_jobs.evaluate(run, experiment_of())
    edit(evaluation.path, make_newer)
    scores, problems = evaluations.read(run.folder)
    assert scores == []
    assert "install version 999.1 of tune-jobs" in problems[0]


@pytest.mark.parametrize("written", ["0.0.1", OWN, "9" * 100, "999; rm -rf ~", "\x1b[31m9", None, 9])
def test_only_a_version_that_is_newer_is_named(written: object) -> None:
    with pytest.raises(NewerFormatError, match=rf"install a version newer than {own_version()} of tune-jobs\.$"):
        check_format({"format": 2, "version": written}, 1)


def test_damaged_checkpoints_do_not_keep_a_run_from_going_on(tmp_path: Path) -> None:
    (tmp_path / "epoch-000001").mkdir()
    (tmp_path / "epoch-000002").mkdir()
    (tmp_path / "epoch-000002" / "state.json").write_text("{")
    DiskCheckpoints(tmp_path).check_formats()
