"""Other people's tools: what all callbacks that write for one have in common, and how a run remembers its tools."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

from tune_jobs.base.plain_text import plain_text
from tune_jobs.base.user_key import is_marked, mark
from tune_jobs.engine.run_folder.callbacks import Callback
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.results import EpochReported, Event, ParametersMet, RunEnded, Status, TrialEnded, TrialStarted

TOOLS = "tools"
"""The key of a run's record below which its tools stand."""

# By name, because the exports stand above the engine: the class of a kind, and the package that it needs.
_CLASSES = {
    "tensorboard": ("tune_jobs.exports.tensorboard_events", "TensorBoard", "tensorboardX"),
    "mlflow": ("tune_jobs.exports.mlflow_runs", "MLflow", "mlflow"),
    "wandb": ("tune_jobs.exports.wandb_files", "WandB", "wandb"),
}


class Tool(Callback):
    """The base of callbacks that write for other people's tools, each trial as something of its own there.

    Each trial is begun once, each of its epochs is told once, and its end once: also when it was interrupted and goes
    on, when it begins again on another worker, and when the run is resumed in another process.
    """

    KIND: ClassVar[str]
    _is_open = False

    def settings(self) -> dict[str, Any]:
        """Return the arguments with which a resumed run makes the callback again, as JSON."""
        raise NotImplementedError

    def open(self, plan: Plan) -> None:
        """Begin to write for a run, before its earlier events are told."""

    def start_trial(self, event: TrialStarted) -> None:
        """Begin a trial."""

    def configure(self, event: TrialStarted | ParametersMet) -> None:
        """Write the configuration of a trial, or the one that it has met in truth."""

    def report(self, event: EpochReported) -> None:
        """Write the metrics of an epoch."""

    def end_trial(self, event: TrialEnded) -> None:
        """Finish a trial."""

    def end_run(self, event: RunEnded) -> None:
        """Finish the run; it may be resumed."""

    def close(self) -> None:
        """Close what is open."""

    def begin(self, plan: Plan) -> None:
        """Begin to write for a run, and write the events of earlier sessions."""
        self._is_open = False
        self._plan = plan
        self._epochs: dict[int, int] = {}
        self._interrupted: dict[int, TrialEnded] = {}
        self.open(plan)
        self._is_open = True
        for event in plan.earlier:
            self.event(event)

    def event(self, event: Event) -> None:
        """Write an event."""
        if not self._is_open:
            return
        match event:
            case TrialStarted():
                self._interrupted.pop(event.trial, None)
                if event.trial not in self._epochs:
                    self._epochs[event.trial] = 0
                    self.start_trial(event)
                    self.configure(event)
            case ParametersMet() if event.trial in self._epochs:
                self.configure(event)
            case EpochReported() if event.epoch > self._epochs.get(event.trial, event.epoch):
                self._epochs[event.trial] = event.epoch
                self.report(event)
            case TrialEnded(status=Status.INTERRUPTED):
                self._interrupted[event.trial] = event  # a resumed run goes on with it
            case TrialEnded() if event.trial in self._epochs:
                self.end_trial(event)
            case RunEnded():
                self.end_run(event)

    def end(self) -> None:
        """Finish the trials that were interrupted, and close what is open."""
        if not self._is_open:
            return
        for event in self._interrupted.values():
            self.end_trial(event)
        self._interrupted.clear()
        self.close()
        self._is_open = False


def tools_record(callbacks: Sequence[Callback]) -> dict[str, Any]:
    """Return what a run's record says of its tools; nothing if it has none.

    Args:
        callbacks: The callbacks of the run. Those of the user's own cannot be made again, and are not recorded.
    """
    given = [
        {"kind": callback.KIND, **callback.settings()}
        for callback in callbacks
        if isinstance(callback, Tool) and _is_shipped(callback)
    ]
    return {TOOLS: {"given": given, "origin": mark(json.dumps(given))}} if given else {}


def remembered_tools(record: Mapping[str, Any], callbacks: Sequence[Callback]) -> tuple[list[Callback], list[str]]:
    """Return the tools that a run was given before, and a sentence for each that cannot be told again.

    A tool writes to a place that the record names, so it is made again only if this user gave it on this machine.

    Args:
        record: The run's record.
        callbacks: The callbacks that are given now. A kind that is among them is not made again.
    """
    recorded = record.get(TOOLS)
    given = recorded.get("given") if isinstance(recorded, Mapping) else None
    if not isinstance(recorded, Mapping) or not isinstance(given, list):
        return [], []
    now = {callback.KIND for callback in callbacks if isinstance(callback, Tool)}
    others = [kind for kind in _CLASSES if kind not in now]
    wanted = [dict(each) for each in given if isinstance(each, Mapping) and each.get("kind") in others]
    if wanted and not is_marked(json.dumps(given), recorded.get("origin")):
        return [], [_sentence(each, "nothing shows that you gave it on this machine") for each in wanted]
    tools: list[Callback] = []
    notes = []
    for settings in wanted:
        module, name, package = _CLASSES[settings["kind"]]
        if None in settings.values():
            notes.append(_sentence(settings, "its address has a password, which is not kept"))
        elif find_spec(package) is None:
            notes.append(_sentence(settings, f"{package} is not installed"))
        else:
            arguments = {key: value for key, value in settings.items() if key != "kind"}
            tools.append(getattr(import_module(module), name)(**arguments))
    return tools, notes


def _is_shipped(tool: Tool) -> bool:
    module, name, _ = _CLASSES.get(tool.KIND, ("", "", ""))
    return (type(tool).__module__, type(tool).__qualname__) == (module, name)


def _sentence(settings: Mapping[str, Any], reason: str) -> str:
    kind = settings["kind"]
    place = next((str(value) for key, value in settings.items() if key in ("folder", "uri") and value), "")
    shown = f"{kind} {plain_text(place)}".strip()
    return f"The tool that the run was given before ({shown}) is not told: {reason}. Name it again: --{kind}."
