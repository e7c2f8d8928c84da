"""LCBench: learning curves of funnel-shaped networks on OpenML's tasks, by YAHPO's surrogate.

The curves are those of Zimmer, Lindauer and Hutter (2021, "Auto-PyTorch Tabular"). The surrogate is that of Pfisterer,
Schneider, Moosbauer, Binder and Bischl (2022, "YAHPO Gym"). Its files are not part of this repository: ``--data`` or
the environment variable LCBENCH names their folder, with model.onnx and encoding.json.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces import Float, Int, SearchSpace
from tune_jobs.replay import Curve

EPOCHS = 50
SPACE = SearchSpace(
    batch_size=Int(16, 512, log=True),
    learning_rate=Float(1e-4, 1e-1, log=True),
    momentum=Float(0.1, 0.99),
    weight_decay=Float(1e-5, 1e-1),
    num_layers=Int(1, 5),
    max_units=Int(64, 1024, log=True),
    max_dropout=Float(0.0, 1.0),
)
_NAMES = ("batch_size", "learning_rate", "momentum", "weight_decay", "num_layers", "max_units", "max_dropout")
_CURVE = 2  # the surrogate's first epoch is before any training; the curve begins with the second
_SECONDS, _ACCURACY, _CROSS_ENTROPY = 0, 1, 2


class LcbenchTask:
    """One task of LCBench.

    Args:
        folder: The folder of the surrogate.
        task: The task's name: the number of the task at OpenML.
        column: The column of the surrogate that is the objective: its validation accuracy, or its cross-entropy.
    """

    def __init__(self, folder: Path, task: str, column: int = _ACCURACY) -> None:
        self.name = f"lcbench-{task}"
        self.space = SPACE
        self.max_epochs = EPOCHS
        self._session, encoding = _surrogate(folder)
        self._code = encoding[task]
        self._column = column

    def curve(self, config: dict[str, Any], trial: int, seed: int) -> Curve:
        """Return the learning curve of a configuration: 1 minus the accuracy, or the cross-entropy."""
        return self.curves([config])[0]

    def curves(self, configs: list[dict[str, Any]]) -> list[Curve]:
        """Return the learning curves of configurations, in one call of the surrogate."""
        rows = np.array([[config[name] for name in _NAMES] for config in configs], dtype=np.float32)
        epochs = np.arange(_CURVE, _CURVE + EPOCHS, dtype=np.float32)
        numbers = np.column_stack([np.tile(epochs, len(rows)), np.repeat(rows, EPOCHS, axis=0)])
        codes = np.full((len(numbers), 1), self._code, dtype=np.int32)
        (output,) = self._session.run(None, {"x_cat": codes, "x_cont": numbers})
        output = output.astype(np.float64).reshape(len(rows), EPOCHS, -1)
        return [self._curve(points) for points in output]

    def _curve(self, points: NDArray[np.float64]) -> Curve:
        values = points[:, self._column]
        losses = 1 - values / 100 if self._column == _ACCURACY else values
        seconds = np.maximum(np.diff(np.maximum.accumulate(points[:, _SECONDS]), prepend=0.0), 1e-3)
        return Curve(losses, seconds)


def lcbench_folder(named: Path | None) -> Path:
    """Return the folder of the surrogate.

    Args:
        named: The folder that was named; None: that of the environment variable LCBENCH.

    Raises:
        SystemExit: There is none.
    """
    folder = named or (Path(os.environ["LCBENCH"]) if "LCBENCH" in os.environ else None)
    if folder is None or not (folder / "model.onnx").exists():
        raise SystemExit(
            f"The folder of LCBench's surrogate is {folder}, but must have model.onnx and encoding.json: "
            "name it by --data, or by the environment variable LCBENCH."
        )
    return folder


def lcbench_tasks(folder: Path) -> list[str]:
    """Return the names of the surrogate's tasks."""
    return list(_surrogate(folder)[1])


@cache
def _surrogate(folder: Path) -> tuple[Any, dict[str, int]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    encoding: dict[str, dict[str, int]] = json.loads((folder / "encoding.json").read_text())
    (tasks,) = encoding.values()
    return session, tasks
