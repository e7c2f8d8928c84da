"""Which vocabulary and embedding suit a classifier of texts?

TEXTS names a folder in which each folder is a class and each file a text. Without it, the texts are lines from the
descriptions of scikit-learn's data sets, and the class is the data set. The vocabulary is in the model: it is
adapted once a worker and size, and the exported model takes strings.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from search_spaces import Choice, Float, Int, SearchSpace
from trainables import Data, KerasTrainable, TrainingView, split
from trainables.examples import sample_files
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import ASHA
from tune_jobs.searchers import HyperOpt

SPACE = SearchSpace(
    max_tokens=Choice(200, 500, 1000),
    words=Int(16, 64, step=16),
    embedding=Choice(16, 32, 64),
    dropout=Float(0.0, 0.5, step=0.1),
    learning_rate=Float(3e-3, 3e-2, log=True),
)


class TextFiles(KerasTrainable):
    """An average of embeddings, and a dense layer."""

    batch_size = 16

    def load_data(self) -> Data:
        """Return the texts as strings: 60 % to train on, and 20 % each to validate on and for the test set."""
        folder = Path(os.environ.get("TEXTS") or sample_files.texts())
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
        files = [(path, label) for label, name in enumerate(names) for path in sorted((folder / name).glob("*.txt"))]
        texts = np.array([path.read_text(encoding="utf-8") for path, _ in files])
        labels = np.array([label for _, label in files], np.int32)
        rest, test = split(texts, labels, 0.2)
        train, validation = split(*rest, 0.25)
        return Data(train, validation, test, class_names=tuple(names))

    def build_model(self, config: dict[str, Any], data: TrainingView) -> keras.Model:  # type: ignore[override]
        """Return a model that takes strings, with the vocabulary of the training texts."""
        vectorize = keras.layers.TextVectorization(
            max_tokens=config["max_tokens"], output_sequence_length=config["words"]
        )
        model = keras.Sequential(
            [
                keras.Input((), dtype="string"),
                data.adapt(vectorize),
                keras.layers.Embedding(config["max_tokens"], config["embedding"], mask_zero=True),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dropout(config["dropout"]),
                keras.layers.Dense(data.classes, "softmax"),
            ]
        )
        optimizer = keras.optimizers.Adam(config["learning_rate"])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


EXPERIMENT = Experiment(
    trainable=TextFiles,
    space=SPACE,
    objective=Objective("val_accuracy", "max"),
    searcher=HyperOpt(),
    scheduler=ASHA(grace_period=3, reduction_factor=3),
    max_epochs=27,
    trials=20,
    seed=0,
)
