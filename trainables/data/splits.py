"""The data of a run: splits of examples that are checked once and shared by all trials without copies."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainables.data import part as parts
from trainables.data.checks import split_problems
from trainables.data.frames import arrays_of, only_column
from trainables.data.invalid import InvalidData
from trainables.data.nested import Split, length


@dataclass(frozen=True)
class Data:
    """Training, validation and test examples, checked when they are put together.

    Each of x, y and sample_weight is a NumPy array of shape (examples, …), or a tuple, list or dict of such arrays for
    a model with several inputs or outputs. A frame of pandas is a dict of its columns (one of a single column, as y or
    sample_weight, is that column), and text is an array of strings, for a ``StringLookup`` in the model.

    Attributes:
        train: (x, y) or (x, y, sample_weight) to fit on.
        validation: The same, for the objective; without it the model reports no ``val_…`` metric.
        test: The same; no searcher, scheduler or callback ever sees it.
        class_names: The names of the classes 0, 1, …, for reports.

    Raises:
        InvalidData: A split has a wrong form, arrays of unequal length or no examples, or labels are NaN.

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

    train: Split
    validation: Split | None = None
    test: Split | None = None
    class_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        try:
            problems = self._problems()
        except RecursionError:
            problems = ["The data is nested too deeply: x and y are arrays, or a tuple, list or dict of arrays."]
        if problems:
            raise InvalidData(problems)

    def _problems(self) -> list[str]:
        """Turn frames into arrays, and return all that is wrong with the splits."""
        for name in ("train", "validation", "test"):
            split = getattr(self, name)
            if isinstance(split, tuple) and len(split) in (2, 3):
                x, *others = split
                object.__setattr__(self, name, (arrays_of(x), *(arrays_of(only_column(part)) for part in others)))
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        given = {name: split for name, split in splits.items() if split is not None or name == "train"}
        return [problem for name, split in given.items() for problem in split_problems(name, split)]

    @property
    def examples(self) -> dict[str, int]:
        """The number of examples of each split."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: length(split) for name, split in splits.items() if split is not None}

    def part(self, fraction: float) -> Data:
        """Return a part of the training and of the validation examples, in their order; the test set stays whole.

        The choice depends on the data and the fraction alone, so all runs of one fraction see the same examples. If
        the labels are classes, each class has its share, and at least one example. Labels are classes if they are one
        array of whole numbers, of shape (examples,) or (examples, 1), or of one-hot rows. Labels with more different
        numbers than half of the examples are quantities, not classes.

        Args:
            fraction: The part to take of each split, in (0, 1]; at least one example is left.

        Raises:
            ValueError: The fraction is outside of (0, 1].
        """
        if not 0 < fraction <= 1:
            raise ValueError(f"The value of `fraction` is {fraction!r}, but must be in (0, 1].")
        if fraction == 1:
            return self
        validation = self.validation and parts.part(self.validation, fraction)
        return replace(self, train=parts.part(self.train, fraction), validation=validation)
