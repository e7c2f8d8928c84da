"""The options by which a run tells other people's tools what happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from tune_jobs.engine.run_folder.callbacks import Callback

_Command = TypeVar("_Command", bound=Callable[..., Any])
_PACKAGES = {"mlflow": "mlflow", "wandb": "wandb"}

_OPTIONS = (
    click.option("--tensorboard", metavar="FOLDER", help="Write event files for TensorBoard: scalars and HParams."),
    click.option("--mlflow", metavar="URI", help="Log to MLflow, such as sqlite:///mlflow.db: a run, and one a trial."),
    click.option(
        "--wandb", metavar="FOLDER", help="Write offline files for Weights & Biases; `wandb sync` sends them."
    ),
)


def tool_options(command: _Command) -> _Command:
    """Add the options to a command. Its function gives them to ``callbacks_of``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def callbacks_of(tensorboard: str | None, mlflow: str | None, wandb: str | None) -> Sequence[Callback]:
    """Return the callbacks that options ask for.

    Raises:
        RequestError: A package that one of them needs is not installed.
    """
    from tune_jobs.errors import RequestError

    asked = {"mlflow": mlflow, "wandb": wandb}
    if missing := [name for name, value in asked.items() if value is not None and find_spec(_PACKAGES[name]) is None]:
        raise RequestError(
            *(f"--{name} needs {name}, which is not installed: pip install 'tune-jobs[{name}]'." for name in missing)
        )
    callbacks: list[Callback] = []
    if tensorboard is not None:
        from tune_jobs.exports.tensorboard_events import TensorBoard

        callbacks.append(TensorBoard(tensorboard))
    if mlflow is not None:
        from tune_jobs.exports.mlflow_runs import MLflow

        callbacks.append(MLflow(mlflow))
    if wandb is not None:
        from tune_jobs.exports.wandb_files import WandB

        callbacks.append(WandB(wandb))
    return callbacks
