"""The command that puts runs side by side: what it prints, draws, and refuses."""

import io
import json
import re
import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.support.compared_runs import evaluate, events_of, make_repeats, make_scored_run
from tune_jobs.cli.main import main


@pytest.fixture
def storage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNE_JOBS_STORAGE", raising=False)
    return tmp_path / "runs"


def invoke(*arguments, status=0):
    result = CliRunner().invoke(main, ["compare", *map(str, arguments)])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def rows_of(text):
    """The table's rows by their labels, the cells of each apart."""
    lines = text.partition("\n\n")[0].splitlines()
    return {re.split(r"\s{2,}", line.strip())[0]: re.split(r"\s{2,}", line.strip())[1:] for line in lines}


def test_two_runs(storage):
    make_scored_run(storage, "slow", [0.2, 0.5, 0.9])
    make_scored_run(storage, "quick", [0.8], searcher={"kind": "hyperopt"})
    text = invoke("slow", "quick").stdout
    rows = rows_of(text)
    assert rows["slow"] == ["quick"]
    assert rows["searcher"] == ["random", "hyperopt"]
    assert rows["best val_accuracy"] == ["0.9000", "0.8000"]
    assert rows["its test_accuracy"] == ["not evaluated", "not evaluated"]
    assert rows["rate"] == ["0.25", "0"]
    assert rows["found by"] == ["trial 2", "trial 0"]
    assert rows["elapsed"] == ["31s", "11s"]
    assert rows["epochs to 0.8000"] == ["3", "1"]
    assert rows["time to 0.8000"] == ["30s", "10s"]
    assert "One run each says nothing about luck" in text
    assert "next: tune-jobs evaluate slow\n      tune-jobs evaluate quick\n" in text


def test_repeats_with_a_verdict(storage):
    make_repeats(storage, "a", [0.6, 0.7, 0.8])
    make_repeats(storage, "b", [0.5, 0.65, 0.75])
    text = invoke("a", "b").stdout
    rows = rows_of(text)
    assert rows["repeats"] == ["3", "3"]
    assert rows["best val_accuracy"] == ["0.7000 [0.6500, 0.7500]", "0.6500 [0.5750, 0.7000]"]
    assert rows["found by"] == ["trial 1 of a-3", "trial 1 of b-3"]
    assert "a against b: not distinguishable from noise (exact p = 0.7, 3 against 3 runs)." in text
    assert "So few can show no difference, however large: the smallest possible p is 0.1." in text
    assert "If a is better in 67% of all pairs, as it was here, it would take about 45 more repeats of each" in text


def test_a_group_of_which_one_repeat_is_there(storage):
    make_repeats(storage, "a", [0.6], count=3)
    make_scored_run(storage, "b", [0.5])
    text = invoke("a", "b").stdout
    assert rows_of(text)["a"] == ["b"]
    assert rows_of(text)["found by"] == ["trial 1 of a-1", "trial 0"]
    assert "a has 1 of its 3 repeats." in text
    assert "next: tune-jobs evaluate a\n      tune-jobs evaluate b\n" in text


def test_a_difference_on_the_test_set(storage):
    for name, base in (("a", 0.5), ("b", 0.8)):
        for number, run in enumerate(make_repeats(storage, name, [0.6] * 5)):
            evaluate(run, trial=1, accuracy=base + number / 100)
    text = invoke("a", "b").stdout
    assert rows_of(text)["its test_accuracy"] == ["0.5200 [0.5100, 0.5300]", "0.8200 [0.8100, 0.8300]"]
    assert "test_accuracy, on the test set (Mann-Whitney U, two-sided, alpha 0.05):" in text
    assert "b against a: different, b is better (exact p = 0.0079, 5 against 5 runs)." in text
    assert "evaluate" not in text


def test_three_strategies_are_corrected(storage):
    for name in "abc":
        make_repeats(storage, name, [0.5, 0.6])
    assert "corrected for 2 tests by Holm's method" in invoke("a", "b", "c").stdout


def test_cautions_are_told(storage):
    make_scored_run(storage, "a", fraction=0.2)
    make_scored_run(storage, "b", events=events_of([0.5], reason=None))
    text = invoke("a", "b").stdout
    assert "Not like for like: fraction is 0.2 in a, 1 in b." in text
    assert "b did not end as planned" in text


def test_a_run_of_another_storage_is_named_as_it_can_be_typed(storage, tmp_path):
    make_scored_run(tmp_path / "other", "a")
    make_scored_run(tmp_path / "other", "b")
    assert "next: tune-jobs evaluate other/a" in invoke("a", "b", "--storage", tmp_path / "other").stdout


def test_every_run_in_other_formats(storage):
    make_repeats(storage, "a", [0.6, 0.7])
    make_scored_run(storage, "b", [0.5])
    rows = json.loads(invoke("a", "b", "--format", "json").stdout)
    assert [(row["strategy"], row["run"]) for row in rows] == [("a", "a-1"), ("a", "a-2"), ("b", "b")]
    assert rows[0]["config"] == {"rate": 0.125, "units": [4, 2]}
    assert len(pd.read_csv(io.StringIO(invoke("a", "b", "--format", "csv").stdout))) == 3
    assert invoke("a", "b", "--format", "markdown").stdout.startswith("| strategy |")


def test_the_picture(storage, tmp_path):
    make_repeats(storage, "a", [0.6, 0.7])
    make_scored_run(storage, "b_$x$", [0.1, 0.5])
    result = invoke("a", "b_$x$", "--output", tmp_path / "best.png")
    assert (tmp_path / "best.png").read_bytes().startswith(b"\x89PNG")
    assert "drawn in" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a"], "There is only a to compare"),
        (["a", "a"], "Error: a is named twice"),
        (["g", "g"], "Error: g is named twice"),
        (["g", "g-1"], "Error: g-1 is named twice"),
        (["x", "a", "y"], "2 things are wrong"),
        (["a", "empty"], "The run empty has no trial with a finite val_accuracy"),
        (["a", "loss"], "different objectives cannot be compared"),
        (["a", "g", "--output", "best.csv"], "The suffix of best.csv is that of no picture"),
        (["a", "g", "--output", "missing/best.png"], "The folder of missing/best.png does not exist"),
        ([], "Missing argument"),
    ],
)
def test_asked_for_wrongly(storage, arguments, told):
    make_scored_run(storage, "a")
    make_scored_run(storage, "empty", [])
    make_scored_run(storage, "loss", objective={"metric": "val_loss", "mode": "min"})
    make_repeats(storage, "g", [0.5, 0.6])
    result = invoke(*arguments, status=2)
    assert told in result.stderr
    assert result.stdout == ""


def test_what_a_file_says_cannot_steer_the_terminal(storage):
    evil = "\x1b[2J"
    make_scored_run(storage, "a", searcher={"kind": evil}, trainable=evil)
    make_scored_run(storage, "b", scheduler=evil)
    assert evil not in invoke("a", "b").output


def test_it_imports_neither_ray_nor_tensorflow(storage):
    make_repeats(storage, "a", [0.6, 0.7])
    make_scored_run(storage, "b")
    code = (
        "import sys; from tune_jobs.cli.main import main; main(sys.argv[1:], standalone_mode=False); "
        "print({'ray', 'tensorflow', 'keras', 'hyperopt', 'matplotlib'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, "compare", "a", "b", "--storage", str(storage)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.stdout.splitlines()[-1] == "set()", result.stdout + result.stderr


def test_of_very_many_parameters_the_first_are_shown(storage):
    for name in ("one", "two"):
        run = make_scored_run(storage, name, [0.5])
        journal = run.folder / "journal.jsonl"
        config = json.dumps({f"p{number}": number for number in range(300)})
        journal.write_text(
            re.sub(r'"config": \{[^}]*\}(.*), "line".*', rf'"config": {config}\1}}', journal.read_text())
        )
    text = invoke("one", "two").stdout
    assert "p199" in text
    assert "p200" not in text
    assert "… and 100 more" in text
