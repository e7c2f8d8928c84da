"""Trials that pretend to use GPU memory. Nothing is trained, so that no framework has to start."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from search_spaces import Choice, SearchSpace
from trainables import Data, KerasTrainable
from trainables.report import Report
from trainables.settings import unwrap
from tune_jobs import Experiment, Grid, NoScheduler, Objective, Resources

TOTAL_BYTES = 16 * 2**30


class Using(KerasTrainable):
    """A trainable that needs the share ``needs`` of a GPU of 16 GiB, and runs out of memory with less."""

    def load_data(self) -> Data:
        return Data(train=(np.zeros((4, 1)), np.zeros(4)))

    def build_model(self, config: dict[str, Any]) -> Any:
        raise NotImplementedError

    def setup(self, config: dict[str, Any], data: Any = None, settings: Any = None) -> None:
        self._settings = settings
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._config, self._epoch = new_config, 0
        return True

    def step(self) -> Report:
        self._epoch += 1
        parameters, control = unwrap(self._config)
        gpus, needs = control.gpus or self._settings.gpus, parameters["needs"]
        if needs > gpus:
            return {"done": True, "error": f"OutOfMemoryError: CUDA out of memory. It has {gpus}."}
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        return {
            "epoch": self._epoch,
            "metrics": {
                "val_loss": needs,
                "gpus": gpus,
                "visible": float(seen or -1),
            },
            "seconds": 0.1,
            "done": self._epoch == self._settings.max_epochs,
            "gpu_memory": {"peak_bytes": int(needs * TOTAL_BYTES / 2), "total_bytes": TOTAL_BYTES},
        }

    def cleanup(self) -> None:
        pass


def experiment(*needs: float, **fields: Any) -> Experiment:
    defaults: dict[str, Any] = {
        "trainable": Using,
        "space": SearchSpace(needs=Choice(*needs)),
        "objective": Objective("val_loss", "min"),
        "searcher": Grid(),
        "scheduler": NoScheduler(),
        "max_epochs": 2,
        "resources": Resources(cpus=0.25, gpus=0.25),
    }
    return Experiment(**{**defaults, **fields})
