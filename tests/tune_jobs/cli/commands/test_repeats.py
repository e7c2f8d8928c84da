"""The commands that run and resume repeats, with an engine that only pretends."""

import pytest
from click.testing import CliRunner

from tests.support.compared_runs import make_repeats, make_scored_run
from tune_jobs import engine
from tune_jobs.cli.main import main
from tune_jobs.results.run import Repeat


@pytest.fixture
def storage(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNE_JOBS_STORAGE", raising=False)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    return tmp_path / "runs"


def invoke(*arguments, status=0):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == status, result.output
    return result


def pretend(monkeypatch, make):
    """Has the engine make these runs; what it was asked for is in the list that is returned."""
    asked = []

    def run_repeats(experiment, repeats, *, storage, name, experiment_name, reference, reporter, if_exists):
        asked.append((experiment.seed, repeats, str(storage), name, experiment_name, reference))
        return make(storage, name)

    monkeypatch.setattr(engine, "run_repeats", run_repeats)
    return asked


def test_repeats_end_with_their_table_and_what_to_type_next(monkeypatch, storage):
    asked = pretend(monkeypatch, lambda storage, name: make_repeats(storage, name, [0.6, 0.9, 0.7]))
    text = invoke("run", "digits_mlp", "--repeats", 3, "--name", "x", "--seed", 4).stdout
    assert asked == [(4, 3, "runs", "x", "digits_mlp", "digits_mlp")]
    rows = {line.split()[0]: line.split()[1:] for line in text.split("\n\n")[0].splitlines() if line}
    assert rows["run"] == ["val_accuracy", "trials", "epochs", "elapsed"]
    assert rows["x-2"] == ["0.9000", "2", "2", "21s"]
    assert rows["median"] == ["0.7000", "2", "2", "21s"]
    assert rows["quartiles"][:2] == ["0.6500,", "0.8000"]
    assert "next: tune-jobs compare x ANOTHER\n      tune-jobs evaluate x\n      tune-jobs leaderboard x-2\n" in text


def test_repeats_in_another_storage_are_named_as_they_can_be_typed(monkeypatch, storage):
    pretend(monkeypatch, lambda storage, name: make_repeats(storage, name, [0.6, 0.9]))
    text = invoke("run", "digits_mlp", "--repeats", 2, "--name", "x", "--storage", "my runs").stdout
    assert "next: tune-jobs compare 'my runs/x' ANOTHER" in text
    assert "tune-jobs leaderboard 'my runs/x-2'" in text


def test_interrupted_repeats(monkeypatch, storage):
    pretend(monkeypatch, lambda storage, name: make_repeats(storage, name, [0.6], count=5))
    text = invoke("run", "digits_mlp", "--repeats", 5, "--name", "x", status=130).stdout
    assert "Interrupted: what was finished is kept." in text
    assert "next: tune-jobs resume x\n" in text


def test_repeats_that_found_nothing_failed(monkeypatch, storage):
    pretend(monkeypatch, lambda storage, name: [make_scored_run(storage, "x-1", [], Repeat("x", 1, 1))])
    assert (
        "No repeat has a trial with a finite val_accuracy."
        in invoke("run", "digits_mlp", "--repeats", 2, "--name", "x", status=1).stdout
    )


@pytest.mark.parametrize("repeats", [0, 1, 1001])
def test_a_wrong_number_is_told_with_all_other_mistakes(storage, repeats):
    result = invoke("run", "digits_mlp", "--repeats", repeats, "--trials", 0, status=2)
    assert "2 things are wrong" in result.stderr
    assert f"The value of `repeats` is {repeats}, but must be a whole number from 2 to 1,000." in result.stderr
    assert not storage.exists()


def test_a_name_that_is_taken(storage):
    make_repeats(storage, "x", [0.5, 0.6])
    for options in (["--repeats", 2], []):
        told = invoke("run", "digits_mlp", "--name", "x", *options, status=2).stderr
        assert "that of the repeats x-1, x-2, …" in told
    make_scored_run(storage, "y-2")
    told = invoke("run", "digits_mlp", "--name", "y", "--repeats", 2, status=2).stderr
    assert "The run 'y-2' exists already" in told


def test_a_group_is_resumed_by_its_name_and_a_repeat_by_its_own(monkeypatch, storage):
    settings = {"resources": {"cpus": 1, "gpus": 0}, "max_epochs": 9, "trials": 2, "checkpoint_every_s": 60.0}
    runs = make_repeats(storage, "x", [0.5, 0.6], scheduler={"kind": "none"}, **settings)
    asked = []

    def resume_repeats(runs, experiment, *, force, reporter, **budgets):
        asked.append(([run.name for run in runs], budgets["trials"], force))
        return runs

    def resume(folder, experiment, *, force, reporter):
        asked.append(folder.name)
        return runs[1]

    monkeypatch.setattr(engine, "resume_repeats", resume_repeats)
    monkeypatch.setattr(engine, "resume", resume)
    assert "tune-jobs compare x ANOTHER" in invoke("resume", "x", "--trials", 7, "--force").stdout
    invoke("resume", "x-2")
    assert asked == [(["x-1", "x-2"], 7, True), "x-2"]


def test_tools_are_named_once_for_all_repeats_and_can_be_left_out(monkeypatch, storage):
    settings = {"resources": {"cpus": 1, "gpus": 0}, "max_epochs": 9, "trials": 2, "checkpoint_every_s": 60.0}
    runs = make_repeats(storage, "x", [0.5, 0.6], scheduler={"kind": "none"}, **settings)
    told = []

    def remember(*arguments, callbacks=(), tools=True, **others):
        told.append(([type(callback).__name__ for callback in callbacks], tools))
        return runs

    monkeypatch.setattr(engine, "run_repeats", remember)
    monkeypatch.setattr(engine, "resume_repeats", remember)
    invoke("run", "digits_mlp", "--repeats", 2, "--name", "y", "--tensorboard", "logs", "--mlflow", "sqlite:///m.db")
    invoke("resume", "x", "--wandb", "files")
    invoke("resume", "x", "--no-tools")
    assert told == [(["TensorBoard", "MLflow"], True), (["WandB"], True), ([], False)]


def test_a_group_that_was_begun_from_python(storage):
    make_repeats(storage, "x", [0.5, 0.6], reference=None)
    assert "call tune_jobs.resume_repeats(runs, EXPERIMENT)" in invoke("resume", "x", status=2).stderr
