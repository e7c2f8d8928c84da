"""The command that runs an experiment, with an engine that only pretends."""

import math
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.cli_runs import events, make_digits_run
from tune_jobs import engine
from tune_jobs.cli.commands.run import IF_EXISTS
from tune_jobs.cli.main import main
from tune_jobs.cli.run_options import AUTO, SCHEDULER_NAMES, SEARCHER_NAMES
from tune_jobs.engine.run_folder.names import CHOICES
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.schedulers import SCHEDULERS
from tune_jobs.searchers import AUTO as AUTOMATIC
from tune_jobs.searchers import SEARCHERS


class Engine:
    """Remembers what it was asked for, and makes a run of given events."""

    def __init__(self):
        self.events = list(events())
        self.error = None

    def run(self, experiment, *, storage, name, experiment_name, reference, warm_start, reporter, if_exists):
        self.warm_start, self.folder = warm_start, Path.cwd()
        self.experiment, self.storage, self.experiment_name = experiment, storage, experiment_name
        if self.error:
            raise self.error
        plan = Plan(storage / "first", "first", "val_accuracy", "max", 3, 27, None, None, 1)
        reporter.begin(plan)
        run = make_digits_run(storage, name or "first", self.events, reporter)
        print("noise")  # noqa: T201 - as load_data may
        reporter.end()
        return run


@pytest.fixture
def fake(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNE_JOBS_STORAGE", raising=False)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # as on a machine with one GPU
    pretended = Engine()
    monkeypatch.setattr(engine, "run", pretended.run)
    return pretended


def invoke(*arguments, status=0):
    result = CliRunner().invoke(main, ["run", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result


def test_names_are_those_of_the_registries():
    assert IF_EXISTS == CHOICES
    assert set(SEARCHER_NAMES) == set(SEARCHERS)
    assert AUTO == AUTOMATIC
    assert set(SCHEDULER_NAMES) == set(SCHEDULERS)


def test_a_run_ends_with_its_leaderboard_and_what_to_type_next(fake):
    text = invoke("digits_mlp").stdout
    assert "trial 0 stopped at epoch 1: val_accuracy 0.9000 (the best so far)" in text
    table, _, closing = text.partition("ended after")[2].partition("\n\n3 trials")
    assert table.splitlines()[2].split()[:4] == ["rank", "trial", "status", "val_accuracy"]
    assert "(2 stopped, 1 diverged), 3 epochs, 1m 05s" in closing
    assert "best: trial 0, val_accuracy 0.9000 at epoch 1: layers=2, units=[64, 32]" in closing
    assert "run:  runs/first" in closing
    assert "next: tune-jobs leaderboard first\n" in closing


def test_what_to_type_next_finds_a_run_in_another_storage(fake, tmp_path):
    text = invoke("digits_mlp", "--storage", "other place").stdout
    assert "next: tune-jobs leaderboard 'other place/first'\n" in text


def test_only_the_best_are_printed(fake):
    fake.events = list(events([0.5] * 30))
    table = invoke("digits_mlp", "--top", 3).stdout.partition("ended after")[2]
    assert len(table.split("\n\n")[1].splitlines()) == 4


def test_options_replace_what_the_experiment_declares(fake):
    options = "--searcher random --scheduler none --trials 4 --max-epochs 5 --total-epochs 6 --time-budget-s 7.5"
    options += " --executions 3 --fraction 0.2"
    more = "--max-concurrent 2 --cpus 0.5 --gpus 0.25 --seed 9 --keep 3 --storage elsewhere --name second"
    invoke("digits_mlp", *options.split(), *more.split())
    asked = fake.experiment
    assert (asked.searcher.NAME, asked.scheduler.NAME) == ("random", "none")
    assert (asked.trials, asked.max_epochs, asked.total_epochs, asked.time_budget_s) == (4, 5, 6, 7.5)
    assert (asked.max_concurrent_trials, asked.seed, asked.keep) == (2, 9, 3)
    assert (asked.executions, asked.fraction) == (3, 0.2)
    assert (asked.resources.cpus, asked.resources.gpus) == (0.5, 0.25)
    assert (str(fake.storage), fake.experiment_name) == ("elsewhere", "digits_mlp")


def test_paths_are_those_of_the_shell_whatever_folder_the_file_wants(fake, tmp_path):
    make_digits_run(tmp_path / "runs", "one")
    (tmp_path / "moves.py").write_text(
        "import os\nfrom tune_jobs.examples.digits_mlp import EXPERIMENT\nos.chdir('/')\n"
    )
    text = invoke("moves.py", "--warm-start", "one").stdout
    assert (fake.storage, fake.warm_start[0].folder) == (tmp_path / "runs", tmp_path / "runs" / "one")
    assert fake.folder == Path("/")
    assert "run:  runs/first" in text
    assert Path.cwd() == tmp_path


def test_options_for_what_goes_wrong_and_for_what_went_before(fake, tmp_path):
    for name in ("one", "two"):
        make_digits_run(tmp_path / "runs", name)
    options = "--max-retries 0 --same-failures 9 --trial-timeout-s 90 --warm-start one --warm-start runs/two"
    invoke("digits_mlp", *options.split())
    asked = fake.experiment
    assert (asked.max_retries, asked.same_failures, asked.trial_timeout_s) == (0, 9, 90)
    assert [run.name for run in fake.warm_start] == ["one", "two"]
    assert "no run 'three'" in invoke("digits_mlp", "--warm-start", "three", status=2).stderr
    wrong = invoke("digits_mlp", "--max-retries", -1, "--same-failures", 0, "--trial-timeout-s", 0, status=2)
    assert "3 things are wrong" in wrong.stderr


def test_all_wrong_values_are_told_at_once(fake):
    options = "--trials 0 --max-epochs -1 --cpus 0 --seed -3 --time-budget-s nan --fraction 1.5 --executions 0 --keep 0"
    result = invoke("digits_mlp", *options.split(), status=2)
    first, *rest = result.stderr.splitlines()
    assert first == "Error: 8 things are wrong:"
    assert all(line.startswith("  - ") for line in rest)
    assert len(rest) == 8
    assert result.stdout == ""


@pytest.mark.parametrize(("word", "keep"), [("all", "all"), ("none", "none"), ("25", 25)])
def test_whose_weights_are_kept(fake, word, keep):
    invoke("digits_mlp", "--keep", word)
    assert fake.experiment.keep == keep
    assert "'best' is neither all" in invoke("digits_mlp", "--keep", "best", status=2).stderr


def test_a_searcher_that_does_not_suit_the_space(fake):
    assert "learning_rate" in invoke("digits_mlp", "--searcher", "grid", status=2).stderr


def test_interrupted(fake):
    fake.events = list(events([0.9], reason="interrupted"))
    text = invoke("digits_mlp", status=130).stdout
    assert "Interrupted: what was finished is kept." in text
    assert "best: trial 0" in text


def test_interrupted_before_the_run_began(fake):
    fake.error = KeyboardInterrupt()
    assert invoke("digits_mlp", status=130).stderr == "Interrupted.\n"


def test_a_run_that_failed(fake):
    fake.error = RunFailed("All 3 trials failed; see the log.")
    assert invoke("digits_mlp", status=1).stderr == "Error: All 3 trials failed; see the log.\n"


def test_a_run_that_failed_shows_what_came_of_it_first(fake, tmp_path):
    run = make_digits_run(tmp_path, "broken", list(events([0.9, math.nan], reason="failed")))
    fake.error = RunFailed("5 trials in a row failed with the same error.", run.folder)
    result = invoke("digits_mlp", "--top", "1", status=1)
    assert result.stderr == "Error: 5 trials in a row failed with the same error.\n"
    assert "best: trial 0" in result.stdout
    assert "tune-jobs resume" in result.stdout


def test_a_run_without_a_best_trial_failed(fake):
    fake.events = list(events([math.nan]))
    assert "No trial has a finite val_accuracy." in invoke("digits_mlp", status=1).stdout


def test_a_request_that_the_engine_refuses(fake):
    fake.error = RequestError("The name is taken.", "\x1b[2JToo many CPUs.")
    result = invoke("digits_mlp", status=2)
    assert result.stderr == "Error: 2 things are wrong:\n  - The name is taken.\n  - \\x1b[2JToo many CPUs.\n"


@pytest.mark.parametrize("where", [["--debug", "run", "digits_mlp"], ["run", "digits_mlp", "--debug"]])
def test_a_traceback_is_shown_only_when_asked_for(fake, where):
    fake.error = ZeroDivisionError("by zero")
    plain = invoke("digits_mlp", status=1)
    assert plain.stderr.startswith("Error: ZeroDivisionError: by zero. This was not foreseen")
    assert "Traceback" not in plain.output
    debugged = CliRunner().invoke(main, where)
    assert debugged.exit_code == 1
    assert "Traceback" in debugged.stderr


def test_a_file_that_fails_is_told_without_a_traceback(fake, tmp_path):
    (tmp_path / "mine.py").write_text("\nnonsense\n")
    plain = invoke("mine.py", status=2)
    assert plain.stderr.startswith("Error: mine.py, line 2 cannot be imported: NameError: name 'nonsense'")
    assert "Traceback" not in plain.output
    assert 'mine.py", line 2, in <module>' in invoke("mine.py", "--debug", status=2).stderr
    sys.path.remove(str(tmp_path))


def test_all_that_is_wrong_with_a_warm_start_is_told_at_once(fake, tmp_path):
    (tmp_path / "bad.csv").write_text("learning_rate,accuracy\n0.1,0.2\n")
    sources = ("bad.csv", "none", "gone.csv", "sqlite:///none.db")
    result = invoke("digits_mlp", *(f"--warm-start={one}" for one in sources), status=2)
    assert "4 things are wrong" in result.stderr
    for words in ("no column 'val_accuracy'", "no run 'none'", "There is no file", "there is no file"):
        assert words in result.stderr
    assert not (tmp_path / "none.db").exists()
