"""Whatever an experiment or a trial says stays text: in tables, in CSV for a spreadsheet, and on the terminal."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support import fakes, runs
from tests.support.hostile_runs import make_hostile_run
from tune_jobs.cli.main import main
from tune_jobs.results.run import Run

STEERING = [chr(code) for code in (*range(9), *range(11, 32), 127, 0x202E)]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run that is hostile everywhere."""
    return make_hostile_run(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize(
    "command",
    [
        ["leaderboard"],
        ["leaderboard", "--format", "markdown"],
        ["importance"],
        ["report", "--output", "report.html"],
        ["report", "--format", "svg", "--output", "figures"],
        ["curves", "--output", "curves.svg"],
        ["runs"],
    ],
    ids=" ".join,
)
def test_nothing_steers_a_terminal(
    hostile: Run, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    where = ["--storage", str(hostile.folder.parent)] if command == ["runs"] else [str(hostile.folder)]
    result = CliRunner().invoke(main, [command[0], *where, *command[1:]])
    assert result.exit_code == 0, result.output
    if "markdown" in command:  # no terminal reads it here; on one, it is spelled out as well
        assert "<script" not in result.output
        assert "<img" not in result.output
    else:
        assert [letter for letter in STEERING if letter in result.output] == []


@pytest.mark.parametrize("command", ["leaderboard", "importance"])
def test_a_spreadsheet_finds_no_formula(hostile: Run, command: str) -> None:
    result = CliRunner().invoke(main, [command, str(hostile.folder), "--format", "csv"])
    assert result.exit_code == 0, result.output
    cells = [cell for row in csv.reader(io.StringIO(result.stdout)) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells) or command == "importance"
    texts = [cell for cell in cells if not cell.lstrip("-").replace(".", "").replace("e-", "").isdigit()]
    assert [cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t"))] == []


def test_a_run_without_trials_has_a_report(tmp_path: Path) -> None:
    run = runs.make_run(tmp_path, "empty", experiment=fakes.experiment())
    output = tmp_path / "report.html"
    result = CliRunner().invoke(main, ["report", str(run.folder), "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert output.stat().st_size > 1e6
