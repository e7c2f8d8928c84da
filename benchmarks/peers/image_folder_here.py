"""This project on a folder of images, as its users write it: ``image_folder``, one CPU per trial."""

from __future__ import annotations

from typing import Any

import tune_jobs
from benchmarks import work
from benchmarks.peers import image_work
from search_spaces import Choice, SearchSpace
from trainables import Data, KerasTrainable, image_folder
from tune_jobs import Experiment, Grid, NoScheduler, Objective

order = work.read_order()


class Images(KerasTrainable):
    """The trainable of the common model."""

    batch_size = image_work.BATCH_SIZE

    def load_data(self) -> Data:
        """Return the images of the folder."""
        return image_folder(
            order["images"],
            image_size=image_work.SIZE,
            validation_split=image_work.SHARE_TO_VALIDATE,
            cache=order["folder"] + "/cache",
        )

    def build_model(self, config: dict[str, Any]) -> Any:
        """Return the common model."""
        return image_work.build(order["configurations"][config["configuration"]])


if __name__ == "__main__":
    run = tune_jobs.run(
        Experiment(
            trainable=Images,
            space=SearchSpace(configuration=Choice(*range(len(order["configurations"])))),
            objective=Objective("val_accuracy", "max"),
            searcher=Grid(),
            scheduler=NoScheduler(),
            max_epochs=order["epochs"],
        ),
        storage=order["folder"],
    )
    work.write_result([float(value) for value in run.leaderboard()["val_accuracy"]])
