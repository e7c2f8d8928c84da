"""A plain share of a source: every tenth batch, say, whatever the classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from trainables.data.forks import without_forks
from trainables.data.functions import cannot_return, generator_of
from trainables.data.invalid import InvalidData
from trainables.data.kinds import Kind, kind_of

_LARGEST_DENOMINATOR = 10**6
_SAMPLE_SEED = 0  # whatever the run's seed is, as for arrays


class Share:
    """The rule by which one of so many is chosen, evenly, and the first always.

    Args:
        fraction: The part to choose, in (0, 1].
    """

    def __init__(self, fraction: float) -> None:
        exact = Fraction(fraction).limit_denominator(_LARGEST_DENOMINATOR)
        self._numerator, self._denominator = exact.numerator, exact.denominator

    def before(self, index: Any) -> Any:
        """Return how many are chosen of those before an index; NumPy's and TensorFlow's whole numbers are taken too."""
        return (index * self._numerator + self._denominator - 1) // self._denominator

    def has(self, index: Any) -> Any:
        """Return whether an index, counted from 0, is chosen."""
        return self.before(index + 1) > self.before(index)


def part_of_source(source: Any, fraction: float) -> Any:
    """Return a source that yields a share of what another one yields, evenly spread.

    Args:
        source: The source.
        fraction: The part to take, in (0, 1).

    Raises:
        InvalidData: The source has no end.
    """
    share, kind = Share(fraction), kind_of(source)
    if kind is Kind.FUNCTION and cannot_return(source):
        raise InvalidData([_endless(kind)])
    if kind is Kind.DATASET:
        return _part_of_dataset(source, share)
    if kind is Kind.PY_DATASET:
        from trainables.data.py_datasets import Batches

        if source.num_batches is None:
            raise InvalidData([_endless(kind)])
        return Batches(source, [index for index in range(source.num_batches) if share.has(index)])
    if kind is Kind.RAY:
        return source.random_sample(fraction, seed=_SAMPLE_SEED)
    return PartOfFunction(without_forks(source).__iter__ if kind is Kind.LOADER else source, share, source)


def _endless(kind: Kind) -> str:
    return f"A part (`fraction`) cannot be taken of {kind} without an end: lower FitOptions.steps_per_epoch instead."


def _part_of_dataset(dataset: Any, share: Share) -> Any:
    import tensorflow as tf

    if (count := int(dataset.cardinality())) == tf.data.INFINITE_CARDINALITY:
        raise InvalidData([_endless(Kind.DATASET)])
    chosen = dataset.enumerate().filter(lambda index, _: share.has(index)).map(lambda _, element: element)
    return chosen if count < 0 else chosen.apply(tf.data.experimental.assert_cardinality(int(share.before(count))))


class PartOfFunction:
    """A function that returns a fresh generator of a share of another one's batches.

    Args:
        function: The other function.
        share: The share.
        whole: The source that is read in part.
    """

    def __init__(self, function: Callable[..., Iterator[Any]], share: Share, whole: Any) -> None:
        self._function = function
        self._share = share
        self.whole = whole

    def __call__(self, epoch: int = 0) -> Iterator[Any]:
        """Return a fresh generator for an epoch, counted from 0."""
        batches = generator_of(self._function, epoch)
        return (batch for index, batch in enumerate(batches) if self._share.has(index))
