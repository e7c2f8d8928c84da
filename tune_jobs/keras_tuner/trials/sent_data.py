"""Data that a script has made before its search, on the way to the workers: also a ``tf.data.Dataset``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trainables import Data
from trainables.data.kinds import Kind, is_source, kind_of
from tune_jobs.keras_tuner.errors import FatalValueError

_MOST_BYTES = 2**30  # TensorFlow refuses graphs of 2 GiB


@dataclass(frozen=True)
class SentDataset:
    """A ``tf.data.Dataset`` as the graph that TensorFlow makes of it.

    Attributes:
        graph: The serialised graph, with the tensors that it was made of.
        element_spec: The types of its elements.
    """

    graph: bytes
    element_spec: Any

    @classmethod
    def of(cls, dataset: Any, name: str) -> SentDataset:
        """Return a data set as it can be sent.

        Args:
            dataset: The data set.
            name: The name of the argument that it was given as.

        Raises:
            FatalValueError: It calls Python code, or TensorFlow cannot serialise it.
        """
        import tensorflow as tf

        remedy = "give arrays, or make the data set in the fit() of a kt.HyperModel, which each worker calls for itself"
        try:
            variant = tf.data.experimental.to_variant(dataset)
            graph = tf.raw_ops.DatasetToGraphV2(
                input_dataset=variant, external_state_policy=0, strip_device_assignment=True
            ).numpy()
        except Exception as error:
            raise FatalValueError(
                f"The data set `{name}` cannot be sent to workers ({type(error).__name__}): {remedy}."
            ) from error
        if b"PyFunc" in graph:  # EagerPyFunc, too: of from_generator, py_function and numpy_function
            raise FatalValueError(
                f"The data set `{name}` calls Python code (from_generator, py_function or numpy_function), which other "
                f"processes do not have: {remedy}."
            )
        if len(graph) > _MOST_BYTES:
            raise FatalValueError(
                f"The data set `{name}` holds {len(graph) / 2**30:.1f} GiB of tensors, but workers get 1 GiB at most: "
                f"let it read files, or {remedy}."
            )
        return cls(graph, dataset.element_spec)

    def restore(self) -> Any:
        """Return the data set."""
        import tensorflow as tf

        variant = tf.raw_ops.DatasetFromGraph(graph_def=self.graph)
        return tf.data.experimental.from_variant(variant, structure=self.element_spec)


@dataclass(frozen=True)
class SentData:
    """The training and validation data of a search.

    Attributes:
        train: The training split; a data set as a ``SentDataset``.
        validation: The validation split.
    """

    train: Any
    validation: Any

    @classmethod
    def of(cls, data: Data) -> SentData | None:
        """Return data as they can be sent with the class; None if they are arrays, which Ray shares.

        Raises:
            FatalValueError: A data set cannot be sent.
        """
        if not is_source(data.train) and not is_source(data.validation):
            return None
        return cls(_sent(data.train, "x"), _sent(data.validation, "validation_data"))

    def restore(self) -> Data:
        """Return the data."""
        return Data(train=_restored(self.train), validation=_restored(self.validation))


def _sent(split: Any, name: str) -> Any:
    return SentDataset.of(split, name) if kind_of(split) is Kind.DATASET else split


def _restored(split: Any) -> Any:
    return split.restore() if isinstance(split, SentDataset) else split
