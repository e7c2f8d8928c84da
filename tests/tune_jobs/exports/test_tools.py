"""Other people's tools are remembered: a resumed run, and each repeat, tells them again unless somebody objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes import experiment
from tests.support.sessions import plan_of
from tune_jobs import Callback, MLflow, TensorBoard, WandB
from tune_jobs.engine.run_folder.create import create_folder, update_record
from tune_jobs.engine.run_folder.tools import Tool, remembered_tools
from tune_jobs.results import (
    EpochReported,
    Event,
    ParametersMet,
    RunEnded,
    Status,
    TrialEnded,
    TrialPaused,
    TrialStarted,
)
from tune_jobs.results.run import Run


class Own(Callback):
    """A callback of the user's own."""


class OwnBoard(TensorBoard):
    """A tool that the user has changed."""


def recorded(folder: Path, *callbacks: Callback) -> dict[str, Any]:
    made = create_folder(folder, "run", experiment(), "mine", callbacks=callbacks)
    return Run(made).experiment


def test_a_run_without_tools_has_the_record_that_it_always_had(tmp_path: Path) -> None:
    assert "tools" not in recorded(tmp_path)
    assert "tools" not in recorded(tmp_path / "own", Own(), OwnBoard(tmp_path))


def test_tools_are_made_again_as_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record = recorded(tmp_path, TensorBoard("logs"), MLflow("sqlite:///m.db", "mine"), WandB("files", "p"), Own())
    monkeypatch.chdir("/")
    tools, notes = remembered_tools(record, [])
    assert notes == []
    assert [(type(tool), tool.settings()) for tool in tools if isinstance(tool, Tool)] == [
        (TensorBoard, {"folder": str(tmp_path / "logs")}),
        (MLflow, {"uri": f"sqlite:///{tmp_path}/m.db", "experiment": "mine"}),
        (WandB, {"folder": str(tmp_path / "files"), "project": "p"}),
    ]


def test_one_that_is_given_now_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    record = recorded(tmp_path, TensorBoard("logs"), WandB("files"))
    now = TensorBoard("elsewhere")
    tools, _ = remembered_tools(record, [now])
    assert [type(tool) for tool in tools] == [WandB]
    update_record(tmp_path / "run", record, experiment(), [*tools, now])
    again, _ = remembered_tools(Run(tmp_path / "run").experiment, [])
    assert [tool.folder.name for tool in again if isinstance(tool, TensorBoard)] == ["elsewhere"]
    update_record(tmp_path / "run", Run(tmp_path / "run").experiment, experiment())
    assert len(remembered_tools(Run(tmp_path / "run").experiment, [])[0]) == 2


@pytest.mark.parametrize("uri", ["postgresql://me:hush@host/db", "http://host/?password=hush", "http://h?TOKEN=hush"])
def test_a_password_is_not_kept(tmp_path: Path, uri: str) -> None:
    record = recorded(tmp_path, MLflow(uri))
    assert "hush" not in json.dumps(record)
    tools, notes = remembered_tools(record, [])
    assert tools == []
    assert notes == [
        "The tool that the run was given before (mlflow) is not told: its address has a password, which is not kept. "
        "Name it again: --mlflow."
    ]


@pytest.mark.parametrize(
    ("tools", "problem"),
    [
        ({"given": [{"kind": "tensorboard", "folder": "/etc"}], "origin": "00"}, "(tensorboard /etc)"),
        ({"given": [{"kind": "mlflow", "uri": "http://evil\x1b[31m"}]}, "(mlflow http://evil"),
        ({"given": [{"kind": "unknown"}, 3, {"kind": ["tensorboard"]}]}, ""),
        ({"given": 7}, ""),
        ("no", ""),
    ],
)
def test_a_record_from_elsewhere_makes_nobody_write(tools: Any, problem: str) -> None:
    made, notes = remembered_tools({"tools": tools}, [])
    assert made == []
    assert all(problem in note and "\x1b" not in note for note in notes)
    assert bool(notes) == bool(problem)


def test_a_tool_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = recorded(tmp_path, MLflow("sqlite:////x.db"))
    monkeypatch.setattr("tune_jobs.engine.run_folder.tools.find_spec", lambda name: None)
    assert remembered_tools(record, []) == (
        [],
        [
            "The tool that the run was given before (mlflow sqlite:////x.db) is not told: mlflow is not installed. "
            "Name it again: --mlflow."
        ],
    )


class Log(Tool):
    """A tool that remembers its calls."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def start_trial(self, event: TrialStarted) -> None:
        self.calls.append(("start", event.trial))

    def configure(self, event: TrialStarted | ParametersMet) -> None:
        self.calls.append(("config", event.trial, dict(event.config)))

    def report(self, event: EpochReported) -> None:
        self.calls.append((event.trial, event.epoch))

    def end_trial(self, event: TrialEnded) -> None:
        self.calls.append(("end", event.trial, event.status.value))

    def end_run(self, event: RunEnded) -> None:
        self.calls.append(event.reason)


def started(trial: int) -> TrialStarted:
    return TrialStarted(time_s=1.0, trial=trial, config={"a": 1}, node="n")


def epoch(trial: int, number: int) -> EpochReported:
    return EpochReported(time_s=1.0, trial=trial, epoch=number, metrics={"loss": 1.0}, seconds=1.0)


def ended(trial: int, status: Status) -> TrialEnded:
    return TrialEnded(time_s=1.0, trial=trial, status=status, reason="r", error=None)


def test_a_trial_is_begun_once_and_each_epoch_told_once(tmp_path: Path) -> None:
    run = Run(create_folder(tmp_path, "run", experiment(), "mine"))
    earlier: list[Event] = [started(0), epoch(0, 1), started(1), epoch(1, 1), ended(1, Status.INTERRUPTED)]
    log = Log()
    log.begin(plan_of(run, [*earlier, RunEnded(time_s=1.0, reason="interrupted", error=None)]))
    new = [started(0), epoch(0, 1), epoch(0, 2), TrialPaused(time_s=1.0, trial=0, reason="r", epochs=2), started(0)]
    met = ParametersMet(time_s=1.0, trial=0, config={"b": 2}, parameters={})
    for event in (*new, met, epoch(0, 3), ended(0, Status.COMPLETED)):
        log.event(event)
    log.end()
    begun = [
        ("start", 0),
        ("config", 0, {"a": 1}),
        (0, 1),
        ("start", 1),
        ("config", 1, {"a": 1}),
        (1, 1),
        "interrupted",
    ]
    later = [(0, 2), ("config", 0, {"b": 2}), (0, 3), ("end", 0, "completed"), ("end", 1, "interrupted")]
    assert log.calls == begun + later
    log.event(epoch(0, 9))
    assert log.calls == begun + later


def test_a_tool_that_could_not_begin_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = Run(create_folder(tmp_path, "run", experiment(), "mine"))
    tool = WandB(tmp_path / "file")
    with pytest.raises(FileExistsError):
        tool.begin(plan_of(run))
    tool.event(started(0))
    tool.end()
