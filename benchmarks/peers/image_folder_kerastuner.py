"""KerasTuner on a folder of images, as its users write it: ``image_dataset_from_directory``, all cores.

With ``--cache`` the data sets are kept in memory after the first epoch, as a careful user adds it.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import work
from benchmarks.peers import image_work


def main() -> None:
    """Search the grid."""
    order = work.read_order()
    work.use_threads(order["cores"])
    import keras
    import keras_tuner
    import tensorflow as tf

    configurations = order["configurations"]
    train, validation = keras.utils.image_dataset_from_directory(
        order["images"],
        validation_split=image_work.SHARE_TO_VALIDATE,
        subset="both",
        seed=0,
        image_size=image_work.SIZE,
        batch_size=image_work.BATCH_SIZE,
    )
    if "--cache" in sys.argv:
        train, validation = train.cache(), validation.cache()
    train, validation = train.prefetch(tf.data.AUTOTUNE), validation.prefetch(tf.data.AUTOTUNE)

    def build(hp: Any) -> Any:
        return image_work.build(configurations[hp.Choice("configuration", list(range(len(configurations))))])

    tuner = keras_tuner.GridSearch(
        build, "val_accuracy", max_trials=len(configurations), directory=order["folder"], project_name="kerastuner"
    )
    tuner.search(train, epochs=order["epochs"], validation_data=validation, verbose=0)
    work.write_result([trial.score for trial in tuner.oracle.get_best_trials(len(configurations))])


if __name__ == "__main__":
    main()
