"""Which network tells best who leaves, from a table?

TABLE names a CSV file with a header; its last column is 0 or 1. Without it, a table of made-up customers is written.
Each column is an input of its own: words go through a StringLookup, numbers through a Normalization. One in eleven
leaves, so the objective is the area under the ROC curve, and the weight of the rare class is a parameter.
"""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np
import pandas as pd

from search_spaces import Choice, Float, Int, SearchSpace
from trainables import Data, FitOptions, KerasTrainable, TrainingView, split
from trainables.examples import sample_files
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import ASHA
from tune_jobs.searchers import HyperOpt

SPACE = SearchSpace(
    layers=Int(1, 3),
    units=Int(8, 64, step=8).per("layers"),
    dropout=Float(0.0, 0.5, step=0.1),
    learning_rate=Float(1e-3, 3e-2, log=True),
    weight_of_rare=Choice(1.0, 3.0, 10.0),
)


class CsvTable(KerasTrainable):
    """A dense network on columns of words and of numbers."""

    batch_size = 64

    def load_data(self) -> Data:
        """Return the columns by name: 60 % to train on, and 20 % each to validate on and for the test set."""
        path = os.environ.get("TABLE") or sample_files.table() / "customers.csv"
        table = pd.read_csv(path)
        labels = table.pop(table.columns[-1]).to_numpy(np.int32)
        rows = np.arange(len(table))
        (rest, rest_labels), (test, _) = split(rows, labels, 0.2)
        (train, _), (validation, _) = split(rest, rest_labels, 0.25)
        splits = [(table.iloc[part], labels[part]) for part in (train, validation, test)]
        return Data(splits[0], splits[1], splits[2], class_names=("stays", "leaves"))

    def build_model(self, config: dict[str, Any], data: TrainingView) -> keras.Model:  # type: ignore[override]
        """Return a model with an input for each column, adapted to the training rows."""
        columns, _ = data.train
        inputs, features = {}, []
        for name, spec in data.x_spec.items():
            is_text = spec.dtype == "string"
            inputs[name] = keras.Input((1,), name=name, dtype="string" if is_text else "float32")
            layer = keras.layers.StringLookup(output_mode="one_hot") if is_text else keras.layers.Normalization()
            column = columns[name][:, None] if is_text else columns[name][:, None].astype("float32")
            features.append(data.adapt(layer, column)(inputs[name]))
        x = keras.layers.Concatenate()(features)
        for units in config["units"]:
            x = keras.layers.Dense(units, "relu")(x)
            x = keras.layers.Dropout(config["dropout"])(x)
        model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(x))
        optimizer = keras.optimizers.Adam(config["learning_rate"])
        model.compile(optimizer, "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return the weight of the rare class."""
        return FitOptions(class_weight={0: 1.0, 1: config["weight_of_rare"]})


EXPERIMENT = Experiment(
    trainable=CsvTable,
    space=SPACE,
    objective=Objective("val_auc", "max"),
    searcher=HyperOpt(),
    scheduler=ASHA(grace_period=1, reduction_factor=3),
    max_epochs=9,
    trials=20,
    seed=0,
)
