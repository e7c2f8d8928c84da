"""Keras models that are trained one epoch at a time, as Ray Tune trainables. They know no search space and no run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.data import Data, InvalidData, split
    from trainables.data.decoded.images import image_folder
    from trainables.data.decoded.records import record_files
    from trainables.estimators import cross_validated
    from trainables.fit_options import FitOptions
    from trainables.hypergradient.declaration import Hypergradient
    from trainables.keras_trainable import KerasTrainable
    from trainables.settings import InvalidTrainable, TrialSettings
    from trainables.training.view import TrainingView

__all__ = [
    "Data",
    "FitOptions",
    "Hypergradient",
    "InvalidData",
    "InvalidTrainable",
    "KerasTrainable",
    "TrainingView",
    "TrialSettings",
    "cross_validated",
    "image_folder",
    "record_files",
    "split",
]

_HOMES = {
    "Data": "trainables.data",
    "InvalidData": "trainables.data",
    "split": "trainables.data",
    "image_folder": "trainables.data.decoded.images",
    "record_files": "trainables.data.decoded.records",
    "cross_validated": "trainables.estimators",
    "FitOptions": "trainables.fit_options",
    "Hypergradient": "trainables.hypergradient.declaration",
    "KerasTrainable": "trainables.keras_trainable",
    "InvalidTrainable": "trainables.settings",
    "TrialSettings": "trainables.settings",
    "TrainingView": "trainables.training.view",
}


def __getattr__(name: str) -> object:
    # Ray is imported only by whoever asks for KerasTrainable.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
