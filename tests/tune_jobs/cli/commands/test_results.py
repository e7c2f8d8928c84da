"""The commands about experiments and runs."""

import io
import json
import math
import os

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.support.cli_runs import events, make_digits_run
from tune_jobs.cli.main import main
from tune_jobs.loading.shipped import list_shipped


@pytest.fixture
def storage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNE_JOBS_STORAGE", raising=False)
    return tmp_path / "runs"


def invoke(*arguments, status=0):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def test_list():
    lines = invoke("list").output.splitlines()
    assert [line.split()[0] for line in lines] == list(list_shipped())
    assert all(len(line) <= 80 for line in lines)


def test_describe():
    text = invoke("describe", "digits_mlp").output
    for part in (
        "Which multilayer perceptron reads handwritten digits best?",
        "learning_rate  Float",
        "7 parameters",
        "val_accuracy, more is better",
        "hyperopt (",
        "rungs at 1, 3, 9 of 27 epochs",
        "1 CPU and 0 GPUs a trial",
        "at most 30 trials of at most 27 epochs, at most 810 epochs in all",
    ):
        assert part in text


def test_describe_what_is_wrong():
    result = invoke("describe", "digit_mlp", status=2)
    assert result.stderr.startswith("Error: There is no experiment 'digit_mlp'. Did you mean digits_mlp?")
    assert result.stdout == ""


def test_a_run_is_named_by_its_folder_or_its_name(storage, monkeypatch):
    make_digits_run(storage)
    by_name = invoke("leaderboard", "first").output
    assert "0.9" in by_name
    assert invoke("leaderboard", storage / "first").output == by_name
    monkeypatch.setenv("TUNE_JOBS_STORAGE", "elsewhere")
    assert "no run 'first'" in invoke("leaderboard", "first", status=2).stderr
    assert invoke("leaderboard", "first", "--storage", storage).output == by_name


def test_an_empty_storage_is_not_the_current_folder(storage):
    make_digits_run(storage)
    for arguments in (["leaderboard", "first"], ["run", "digits_mlp"]):
        assert "it is empty, but must be a folder or a URI" in invoke(*arguments, "--storage=", status=2).stderr
    assert [path.name for path in storage.parent.iterdir()] == ["runs"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "first", "--format", "pdf", "--output="],
        ["leaderboard", "first", "--output="],
        ["curves", "first", "--output="],
        ["export", "first", ""],
        ["cluster", "check", ""],
    ],
)
def test_an_empty_output_is_not_the_current_folder(storage, arguments):
    make_digits_run(storage)
    assert "it is empty, but must be a file or a folder: name one" in invoke(*arguments, status=2).stderr
    assert [path.name for path in storage.parent.iterdir()] == ["runs"]


def test_an_export_into_a_pipe_is_refused_before_anything_is_computed(storage, tmp_path):
    make_digits_run(storage)
    os.mkfifo(tmp_path / "out.keras")
    for verb in ("export", "refit"):
        assert "is no ordinary file" in invoke(verb, "first", tmp_path / "out.keras", status=2).stderr


def test_leaderboard_on_a_pipe_has_all_columns(storage):
    make_digits_run(storage)
    header, *rows = invoke("leaderboard", "first").output.splitlines()
    assert {"units_0", "units_1", "learning_rate", "loss"} <= set(header.split())
    assert len(rows) == 3
    assert len(invoke("leaderboard", "first", "--top", 1).output.splitlines()) == 2


def test_leaderboard_in_every_format(storage):
    make_digits_run(storage)
    rows = json.loads(invoke("leaderboard", "first", "--format", "json").stdout)
    assert [row["trial"] for row in rows] == [0, 1, 2]
    assert rows[2]["val_accuracy"] is None
    assert rows[0]["units_1"] == 32
    read = pd.read_csv(io.StringIO(invoke("leaderboard", "first", "--format", "csv").stdout))
    assert list(read["units_0"]) == [64, 64, 64]
    assert invoke("leaderboard", "first", "--format", "markdown").stdout.startswith("| rank |")


def test_leaderboard_in_a_file(storage, tmp_path):
    make_digits_run(storage)
    result = invoke("leaderboard", "first", "--output", tmp_path / "board.parquet", "--top", 2)
    assert result.stdout == ""
    assert "2 rows written to" in result.stderr
    assert pd.read_parquet(tmp_path / "board.parquet")["units_0"].dtype == "Int64"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--format", "parquet"], "Error: Parquet is not text: name a file"),
        (["--output", "board.xlsx"], "Error: The suffix of board.xlsx names no format"),
        (["--output", "missing/board.csv"], "Error: missing/board.csv cannot be written (No such file"),
        (["--top", "0"], "Invalid value for '--top'"),
        (["--format", "xml"], "Invalid value for '--format'"),
    ],
)
def test_leaderboard_asked_for_wrongly(storage, options, told):
    make_digits_run(storage)
    result = invoke("leaderboard", "first", *options, status=2)
    assert told in result.stderr
    assert result.stdout == ""


def test_a_damaged_journal_is_told(storage):
    run = make_digits_run(storage)
    (run.folder / "journal.jsonl").write_text("no journal\n")
    assert "line 1 is no event" in invoke("leaderboard", "first", status=2).stderr


def test_runs(storage):
    make_digits_run(storage, "first")
    make_digits_run(storage, "second", events([math.nan], reason="interrupted"))
    make_digits_run(storage, "third", events([], reason=None))
    damaged = make_digits_run(storage, "fourth")
    (damaged.folder / "journal.jsonl").write_text("no journal\n")
    header, *rows = invoke("runs").output.splitlines()
    assert header.split() == ["run", "started", "experiment", "trials", "best", "state"]
    assert [row.split()[0] for row in rows] == ["first", "second", "third", "fourth"]
    assert "digits_mlp" in rows[0]
    assert "2 stopped, 1 diverged" in rows[0]
    assert "val_accuracy 0.9000" in rows[0]
    assert rows[0].endswith("ended: all trials")
    assert rows[1].endswith("ended: interrupted")
    assert rows[2].endswith("running, or killed")
    assert rows[3].endswith("its journal is damaged")


def test_no_runs(storage):
    assert invoke("runs").output == "runs has no runs: tune-jobs run EXPERIMENT makes one.\n"


def test_a_creation_time_that_is_none(storage):
    folder = make_digits_run(storage).folder
    asked = json.loads((folder / "experiment.json").read_text())
    (folder / "experiment.json").write_text(json.dumps({**asked, "created_s": 1e300}))
    assert "first" in invoke("runs").output


def test_a_run_that_was_begun_from_python_is_not_resumed_by_the_command_line(storage):
    make_digits_run(storage)
    assert "call tune_jobs.resume(folder, EXPERIMENT)" in invoke("resume", "first", status=2).output
    assert "There is no run 'second'" in invoke("resume", "second", status=2).output
