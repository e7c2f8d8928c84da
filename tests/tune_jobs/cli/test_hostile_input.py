"""A run's folder that somebody else made: reading it steers no terminal and fails in a sentence."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.cli_runs import make_digits_run
from tune_jobs.cli.main import main
from tune_jobs.results import EpochReported, Noted, RunEnded, RunStarted, Status, TrialEnded, TrialStarted
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.results.run import Run

EVIL = "\x1b[2J\x1b]0;owned\x07\u202e<script>alert(1)</script>[red]x[/red]\r\n\x9b31m"
STEERING = {"\x1b", "\x07", "\x9b", "\u202e", "\r"}


def hostile_events():
    config = {EVIL: EVIL, "units": [EVIL, 1], "optimizer": EVIL, "dropout": {EVIL: [[EVIL]]}, "layers": 10**400}
    yield RunStarted(time_s=1.0, cpus=1.0, gpus=0.0, max_concurrent_trials=1)
    for trial in range(3):
        yield TrialStarted(time_s=1.0, trial=trial, config=config, node=EVIL)
        metrics = {"val_accuracy": trial / 10, EVIL: float("inf"), "rank": float("nan")}
        yield EpochReported(time_s=1.0, trial=trial, epoch=1, metrics=metrics, seconds=1e300)
        yield TrialEnded(time_s=2.0, trial=trial, status=Status.FAILED, reason=EVIL, error=EVIL)
    yield Noted(time_s=1.0, trial=1, text=EVIL)
    yield RunEnded(time_s=1e300, reason=EVIL, error=EVIL)


@pytest.fixture
def storage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNE_JOBS_STORAGE", raising=False)
    return tmp_path / "runs"


def invoke(*arguments, status):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result.output


def rewritten(run: Run, **changes) -> Path:
    path = run.folder / EXPERIMENT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["leaderboard", "evil"], 0),
        (["leaderboard", "evil", "--output", "a\x1b[31m.csv"], 0),
        (["runs"], 0),
        (["resume", "evil"], 2),
    ],
)
def test_nothing_that_a_run_says_steers_a_terminal(storage, arguments, status):
    rewritten(make_digits_run(storage, "evil", list(hostile_events())), experiment=EVIL, name=EVIL, reference=EVIL)
    output = invoke(*arguments, status=status)
    assert not set(output) & STEERING


def test_markdown_holds_no_html_of_a_run_s(storage):
    make_digits_run(storage, "evil", list(hostile_events()))
    assert "&lt;script&gt;" in (output := invoke("leaderboard", "evil", "--format", "markdown", status=0))
    assert "<script>" not in output


def test_a_folder_s_name_steers_no_terminal(storage):
    run = make_digits_run(storage)
    run.folder.rename(storage / "x\x1b[31m")
    assert r"x\x1b[31m" in invoke("runs", status=0)
    assert r"x\x1b[31m" in invoke("leaderboard", "none", status=2)


EXPERIMENTS = {
    "not json": b"<html>",
    "not utf-8": b'{"objective": "\xff"}',
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "a pickle": pickle.dumps({"objective": None}),
    "endless digits": b'{"created_s": ' + b"9" * 10_000 + b"}",
    "larger than it may be": b" " * (16 * 2**20 + 1),
}


@pytest.mark.parametrize("content", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_a_damaged_experiment_is_told_in_a_sentence(storage, content):
    run = make_digits_run(storage)
    (run.folder / EXPERIMENT_FILE).write_bytes(content)
    assert "is damaged" in invoke("leaderboard", "first", status=2)
    assert "has no runs" in invoke("runs", status=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"space": {"parameters": [{"name": "../../x", "kind": "Int", "lower": 1, "upper": 2}]}},
        {"space": {"parameters": [{"name": "n", "kind": "os.system", "lower": 1, "upper": 2}]}},
        {"space": {"parameters": []}},
        {"space": []},
        {"objective": {"metric": "val_accuracy", "mode": "__class__"}},
        {"objective": {"metric": [], "mode": "max"}},
        {"created_s": "now"},
        {"experiment": ["x"]},
    ],
    ids=str,
)
def test_a_declaration_that_is_none_is_told_in_a_sentence(storage, changes):
    rewritten(make_digits_run(storage), **changes)
    assert "Error: " in invoke("leaderboard", "first", status=2)


@pytest.mark.parametrize("created_s", ["NaN", "Infinity", "-1e999", "1" + "0" * 400, "null"])
def test_a_time_that_is_none_is_a_dash(storage, created_s):
    path = make_digits_run(storage).folder / EXPERIMENT_FILE
    text = json.dumps({**json.loads(path.read_text()), "created_s": 4711})
    path.write_text(text.replace("4711", created_s))
    assert "Traceback" not in CliRunner().invoke(main, ["runs"]).output


def test_a_device_in_the_place_of_a_file_is_not_read_for_ever(storage):
    run = make_digits_run(storage)
    for name in (EXPERIMENT_FILE, "journal.jsonl"):
        (run.folder / name).rename(run.folder / "aside")
        (run.folder / name).symlink_to("/dev/zero")
        assert "Error: " in invoke("leaderboard", run.folder, status=2)
        (run.folder / name).unlink()
        (run.folder / "aside").rename(run.folder / name)
