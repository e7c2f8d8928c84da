"""Parameters that trials met after the run began: a line of the journal about them may be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from search_spaces import Choice, Float, InvalidDeclaration
from tests.support.fakes import experiment
from tests.support.runs import make_run
from tests.support.strange_runs import SMALL, met_later
from tune_jobs.cli.main import main
from tune_jobs.engine.decisions.growing_search import GrowingSearch, SpaceGrowth
from tune_jobs.report.material import Material
from tune_jobs.results import ParametersMet
from tune_jobs.results.journal.lines import encode
from tune_jobs.results.journal.seal import seal
from tune_jobs.results.met_parameters import fitting
from tune_jobs.results.run import Run

FLOAT = {"kind": "Float", "lower": 0.0, "upper": 1.0}
MET = {"parameter": FLOAT, "value": 0.5, "declared": {}}


def a_run(folder: Path) -> Run:
    return make_run(folder, "met", met_later(), experiment=experiment(space=SMALL))


def with_met(run: Run, *, is_sealed: bool, **changes: Any) -> int:
    """Change the line about what was met; return its number."""
    path = run.folder / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    (index,) = [number for number, line in enumerate(lines) if b'"parameters_met"' in line]
    fields = {**json.loads(lines[index]), **changes}
    plain = {name: value for name, value in fields.items() if name not in ("line", "crc") and value is not None}
    line = json.dumps(plain).encode() + b"\n"
    lines[index] = seal(line, index + 1) if is_sealed else line
    path.write_bytes(b"".join(lines))
    return index + 1


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"parameters": {"late": {}}}, "parameters by name, each with `parameter`, `value` and `declared`: see 'late'"),
        ({"parameters": {"late": 3}}, "parameters by name"),
        ({"parameters": {"late": {**MET, "declared": []}}}, "parameters by name"),
        ({"parameters": {"late": {**MET, "parameter": {"kind": "Flaot"}}}}, "parameters that a space can have"),
        ({"parameters": {"late": {**MET, "parameter": {**FLOAT, "upper": "x"}}}}, "parameters that a space can have"),
        ({"parameters": [1]}, "an object of finite values"),
        ({"parameters": None}, "has no 'parameters'"),
        ({"config": 3}, "its config is 3"),
        ({"trial": -1}, "its trial is -1"),
    ],
)
def test_a_line_about_what_was_met_is_told_and_passed_over(
    tmp_path: Path, changes: dict[str, Any], rule: str, is_sealed: bool
) -> None:
    run = a_run(tmp_path)
    number = with_met(run, is_sealed=is_sealed, **changes)
    assert list(run.space.parameters) == ["x"]
    history = run.history()
    (sentence,) = history.damages
    assert sentence.startswith(f"Line {number} of the journal does not count: its ")
    assert rule in sentence
    assert history.trials[0].config == {"x": 0.1}
    assert Material.of(run).history.damages == [sentence]
    assert run.leaderboard_and_notes()[1][0] == sentence
    shown = CliRunner().invoke(main, ["leaderboard", str(run.folder)])
    assert shown.exit_code == 0, shown.output
    assert f"Line {number} of the journal" in shown.stderr
    assert "not foreseen" not in shown.output


def test_a_parameter_that_does_not_fit_the_space_is_told_and_left_out(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    stray = {**MET, "parameter": {**FLOAT, "when": [{"parent": "nobody", "is": 1}]}}
    with_met(run, is_sealed=True, parameters={"late": MET, "stray": stray})
    assert list(run.space.parameters) == ["x", "late"]
    (sentence,) = run.history().damages
    assert sentence.startswith("The parameter stray that a trial met does not count: ")
    assert "nobody" in sentence
    report = CliRunner().invoke(main, ["report", str(run.folder), "--output", str(tmp_path / "out.html")])
    assert report.exit_code == 0, report.output


def test_a_resumed_search_leaves_it_out_too() -> None:
    stray = {**MET, "parameter": {**FLOAT, "when": [{"parent": "nobody", "is": 1}]}}
    grown: list[Any] = []

    class Search(GrowingSearch):
        def __init__(self) -> None:
            self.space = SMALL

        def grow(self, met: Any, unused: Any = ()) -> None:
            grown.append(dict(met))

    class Trials:
        def take_back_proposals(self) -> list[int]:
            return []

        def plan(self, trials: int | None) -> None:
            pass

    growth = SpaceGrowth(Search(), Trials(), lambda: 1.0, lambda event: None)  # type: ignore[arg-type]
    event = ParametersMet(time_s=1.0, trial=0, config={}, parameters={"late": MET, "stray": stray})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrowingSearch, "planned_trials", 3)
        growth.replay([event])
    assert grown == [{"late": MET}]


def test_what_depends_on_another_one_fits_with_it() -> None:
    child = {**MET, "parameter": {**FLOAT, "when": [{"parent": "kind", "is": "a"}]}}
    kind = {**MET, "parameter": {"kind": "Choice", "values": ["a", "b"]}}
    parameters, sentences = fitting({"x": Float(0.0, 1.0)}, {"child": child, "kind": kind, "x": MET})
    assert (list(parameters), sentences) == (["x", "child", "kind"], [])
    assert isinstance(parameters["kind"], Choice)
    with pytest.raises(InvalidDeclaration):
        fitting({}, {"x": {"parameter": {"kind": "?"}}})


def test_what_cannot_be_read_is_not_written() -> None:
    with pytest.raises(ValueError, match="parameters by name"):
        encode(ParametersMet(time_s=1.0, trial=0, config={}, parameters={"late": {}}))


def test_the_duration_of_a_run_does_not_hang_on_a_damage(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    seconds = run.history().seconds
    path = run.folder / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    end = {"event": "parameters_met", "time_s": 1.0}
    path.write_bytes(b"".join(lines) + json.dumps(end).encode() + b"\n")
    assert run.history().damages
    assert run.history().seconds == seconds > 0
