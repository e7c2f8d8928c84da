"""The data of a run: splits of examples that are checked once and shared by all trials without copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainables.data import part as parts
from trainables.data.checks import agreement_problems, split_problems
from trainables.data.frames import arrays_of, divided, is_frame, only_column
from trainables.data.invalid import InvalidData
from trainables.data.kinds import Kind, kind_of
from trainables.data.nested import length

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Data:
    """Training, validation and test examples, checked when they are put together.

    A split is a tuple of arrays, or a source. In a tuple, each of x, y and sample_weight is a NumPy array of shape
    (examples, …), or a tuple, list or dict of such arrays for a model with several inputs or outputs. A frame of pandas
    is a dict of its columns (one of a single column, as y or sample_weight, is that column), and text is an array of
    strings, for a ``StringLookup`` in the model. Sparse matrices of SciPy stay sparse, as inputs.

    A source yields batches, or single examples, when it is read: a ``tf.data.Dataset``, a ``keras.utils.PyDataset``, a
    function that returns a fresh generator, a ``DataLoader`` of PyTorch, a ``ray.data.Dataset``. The splits need not be
    of one kind. docs/data.md has a table of them.

    Attributes:
        train: (x, y) or (x, y, sample_weight) to fit on, or a source of them.
        validation: The same, for the objective; without it the model reports no ``val_…`` metric.
        test: The same; no searcher, scheduler or callback ever sees it.
        class_names: The names of the classes 0, 1, …, for reports.
        label: The column, or columns, of labels where a split is a whole table: a frame of pandas, or a
            ``ray.data.Dataset``. All other columns are inputs: one of them as it is, several as a dict.

    Raises:
        InvalidData: A split has a wrong form, arrays of unequal length or no examples.

    Example:
        >>> import numpy as np
        >>> from trainables import Data
        >>> x, y = np.zeros((60, 8)), np.zeros(60, int)
        >>> data = Data(train=(x[:40], y[:40]), validation=(x[40:], y[40:]))
        >>> data.examples
        {'train': 40, 'validation': 20}
        >>> data.part(0.5).examples
        {'train': 20, 'validation': 10}
    """

    train: Any
    validation: Any = None
    test: Any = None
    class_names: Sequence[str] | None = None
    label: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        try:
            problems = self._problems()
        except RecursionError:
            problems = ["The data is nested too deeply: x and y are arrays, or a tuple, list or dict of arrays."]
        if problems:
            raise InvalidData(problems)

    def _problems(self) -> list[str]:
        """Turn frames into arrays, and return all that is wrong with the splits."""
        for name in SPLITS:
            split = getattr(self, name)
            if is_frame(split) and self.label is not None:
                split = divided(name, split, self.label)
            if kind_of(split) is Kind.ARRAYS:
                x, *others = split
                split = (arrays_of(x), *(arrays_of(only_column(part)) for part in others))
            object.__setattr__(self, name, split)
        given = {name: split for name, split in self.splits.items() if split is not None or name == "train"}
        problems = [problem for name, split in given.items() for problem in split_problems(name, split, self.label)]
        return problems or agreement_problems(self.splits)

    @property
    def splits(self) -> dict[str, Any]:
        """Every split by its name; None stands for one that is left out."""
        return {name: getattr(self, name) for name in SPLITS}

    @property
    def examples(self) -> dict[str, int | None]:
        """The number of examples of each split; None for a source, whose examples are not counted."""
        given = {name: split for name, split in self.splits.items() if split is not None}
        return {name: length(split) if kind_of(split) is Kind.ARRAYS else None for name, split in given.items()}

    def map(self, function: Callable[[Any], Any]) -> Data:
        """Return the data with a function applied to every split that there is.

        Args:
            function: A function of a split, such as ``lambda split: split.batch(32)`` for data sets of TensorFlow.
        """
        return replace(self, **{name: function(split) for name, split in self.splits.items() if split is not None})

    def part(self, fraction: float) -> Data:
        """Return a part of the training and of the validation examples, in their order; the test set stays whole.

        The choice depends on the data and the fraction alone, so all runs of one fraction see the same examples. If
        the labels are classes, each class has its share, and at least one example. Labels are classes if they are one
        array of whole numbers, of shape (examples,) or (examples, 1), or of one-hot rows. Labels with more different
        numbers than half of the examples are quantities, not classes.

        Of a source, the part is a plain share of what it yields, whatever the classes: every tenth batch of 0.1.

        Args:
            fraction: The part to take of each split, in (0, 1]; at least one example is left.

        Raises:
            ValueError: The fraction is outside of (0, 1].
        """
        if not 0 < fraction <= 1:
            raise ValueError(f"The value of `fraction` is {fraction!r}, but must be in (0, 1].")
        if fraction == 1:
            return self
        validation = None if self.validation is None else parts.part(self.validation, fraction)
        return replace(self, train=parts.part(self.train, fraction), validation=validation)
