"""Other people's tools open what a run has told them: complete, also after a resume."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from search_spaces import Choice, Fixed, Float, Int, SearchSpace
from tests.support import fakes, runs
from tests.support.sessions import follow_in_two_sessions, plan_of
from tune_jobs import Callback, TensorBoard, export_study
from tune_jobs.cli.main import main
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.engine.run_folder.recorder import CheckpointPruner, Recorder
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.errors import RequestError
from tune_jobs.results import EpochReported, Event, Noted, RunStarted, Status, TrialEnded, TrialPaused, TrialStarted
from tune_jobs.results.run import Run


@pytest.mark.parametrize(("share", "is_killed"), [(0.5, False), (0.1, True), (0.5, True), (0.9, True), (1.0, True)])
def test_tensorboard_reads_every_scalar_once(run: Run, tmp_path: Path, share: float, is_killed: bool) -> None:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    follow_in_two_sessions(lambda: TensorBoard(tmp_path / "logs"), run, share, is_killed=is_killed)
    for number, trial in run.history().trials.items():
        files = list((tmp_path / "logs" / "one" / f"{number:04}").glob("events.out.tfevents.*"))
        values: dict[tuple[str, int], float] = {}
        tags: list[str] = []
        for event in (event for file in files for event in EventFileLoader(str(file)).Load()):
            for value in event.summary.value:
                tags.append(value.tag)
                if not value.tag.startswith("_hparams_"):
                    key = (value.tag, event.step)
                    assert key not in values
                    values[key] = value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value
        expected = {(name, epoch.epoch): v for epoch in trial.epochs.values() for name, v in epoch.metrics.items()}
        assert values.keys() == expected.keys()
        assert all(math.isclose(values[key], v, rel_tol=1e-5) or math.isnan(v) for key, v in expected.items())
        assert "_hparams_/session_start_info" in tags
        assert "_hparams_/session_end_info" in tags


def test_tensorboard_brings_no_tensorflow_into_the_driver(tmp_path: Path) -> None:
    program = (
        "import sys; from tune_jobs import TensorBoard; from tensorboardX.event_file_writer import EventFileWriter; "
        "from tensorboardX.summary import hparams, scalar; scalar('a', 1.0); hparams({'a': 1}, {'b': 1.0}); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


SPACE = SearchSpace(
    rate=Float(1e-4, 1e-1, log=True),
    step=Float(0.0, 0.5, step=0.1),
    width=Int(16, 64, step=16),
    power=Int(2, 32, step=2, log=True),
    layers=Int(1, 2),
    units=Choice([1, 2], None, "x", 1, True).per("layers"),
    kind=Choice("a", "b"),
    momentum=Float(0.0, 1.0).when(kind="a"),
    fixed=Fixed({"deep": [1]}),
)


def test_optuna_opens_the_study(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    events: list[Event] = [RunStarted(time_s=1.0, cpus=1, gpus=0, max_concurrent_trials=1)]
    import numpy as np

    rng = np.random.default_rng(0)
    statuses = [*Status] * 2
    configs = [SPACE.sample(rng) for _ in statuses]
    for trial, (status, config) in enumerate(zip(statuses, configs, strict=True)):
        events.append(TrialStarted(time_s=10.0 + trial, trial=trial, config=config, node="n"))
        for epoch, value in enumerate((0.1, math.nan, 0.3), start=1):
            metrics = {"val_accuracy": value + trial / 100, "loss": 1.0}
            events.append(EpochReported(time_s=11.0, trial=trial, epoch=epoch, metrics=metrics, seconds=1.0))
        if status is Status.PAUSED:
            events.append(TrialPaused(time_s=20.0 + trial, trial=trial, reason="why", epochs=3))
        elif status is not Status.RUNNING:
            error = "boom" if status is Status.FAILED else None
            events.append(TrialEnded(time_s=20.0 + trial, trial=trial, status=status, reason="why", error=error))
    run = runs.make_run(tmp_path, "study", events, experiment=fakes.experiment(space=SPACE))
    url = f"sqlite:///{tmp_path / 'study.db'}"
    result = CliRunner().invoke(main, ["export", str(run.folder), "--optuna", url])
    assert result.exit_code == 0, result.output
    study = optuna.load_study(study_name="study", storage=url)
    states = {"completed": "COMPLETE", "stopped": "PRUNED", "running": "RUNNING", "paused": "RUNNING"}
    assert [trial.state.name for trial in study.trials] == [states.get(status.value, "FAIL") for status in statuses]
    for trial, config in zip(study.trials, configs, strict=True):
        assert ("momentum" in trial.params) == ("momentum" in config)
        assert {name for name in trial.params if name.startswith("units")} == {
            f"units_{index}" for index in range(config["layers"])
        }
        assert trial.params["rate"] == config["rate"]
        assert trial.params["power"] == config["power"]
        assert math.isnan(trial.intermediate_values[2])
    reasons = [None if status is Status.RUNNING else "why" for status in statuses]
    assert [trial.user_attrs["reason"] for trial in study.trials] == reasons
    assert study.best_trial.user_attrs["trial"] == max(
        trial.user_attrs["trial"] for trial in study.trials if trial.state.name == "COMPLETE"
    )
    assert optuna.importance.get_param_importances(study, params=["rate", "kind"])
    again = CliRunner().invoke(main, ["export", str(run.folder), "--optuna", url])
    assert (again.exit_code, "choose another --study" in again.output) == (2, True)
    with pytest.raises(RequestError, match="cannot be used as a storage of Optuna"):
        export_study(run, "nothing://here")


@pytest.mark.parametrize("arguments", [[], ["best.keras", "--optuna", "sqlite:///x.db"]])
def test_export_wants_one_of_the_two(run: Run, arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["export", str(run.folder), *arguments])
    assert result.exit_code == 2
    assert "Name FILE for the best model, or --optuna URL" in result.output


class Failing(Callback):
    """A callback that raises, and one that is told all the same."""

    def event(self, event: Event) -> None:
        raise ValueError(f"no {event.EVENT}")


class Remembering(Callback):
    """A callback that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ended = False

    def event(self, event: Event) -> None:
        self.events.append(event)

    def end(self) -> None:
        self.ended = True


def test_an_exception_in_a_callback_is_a_note_and_the_others_hear_everything(run: Run, tmp_path: Path) -> None:
    class Leaving(Callback):
        def begin(self, plan: Plan) -> None:
            sys.exit(3)

    remembering = Remembering()
    pruner = CheckpointPruner(RetentionPolicy("all", run.objective, lag=1), tmp_path)
    recorder = Recorder(tmp_path, None, pruner, callbacks=[Failing(), Leaving(), remembering])
    recorder.begin(plan_of(run))
    for event in run.events():
        recorder.event(event)
    recorder.close()
    assert remembering.events == run.events()
    assert remembering.ended
    notes = [event.text for event in runs_events(tmp_path) if isinstance(event, Noted)]
    assert notes[0].startswith("The callback Leaving raised ")
    assert notes[1] == "The callback Failing raised ValueError: no run_started."
    assert len(notes) == 4
    assert notes[-1].endswith("further errors of it are not noted.")


def runs_events(folder: Path) -> list[Event]:
    from tune_jobs.results import JOURNAL_FILE, read_journal

    return read_journal(folder / JOURNAL_FILE)
