"""The error of data that cannot be trained on."""

from __future__ import annotations

from typing import Any


class InvalidData(ValueError):  # noqa: N818 - it tells of the data, not of a failure
    """The data cannot be trained on.

    Args:
        problems: Every reason, one sentence each.

    Attributes:
        problems: Every reason.

    Example:
        >>> import numpy as np
        >>> from trainables import Data, InvalidData
        >>> try:
        ...     Data(train=(np.zeros((3, 2)), np.zeros(2)))
        ... except InvalidData as error:
        ...     print(error.problems[0])
        The arrays of Data.train have 3, 2 examples, but must have equally many: x and y have to be divided together.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self.problems),)
