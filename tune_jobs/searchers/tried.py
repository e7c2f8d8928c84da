"""The configurations that were tried, so that no searcher proposes one twice."""

from __future__ import annotations

from collections.abc import Iterable

from search_spaces import SearchSpace
from search_spaces.adapters.hyperopt import encode
from search_spaces.space import Config

_Key = frozenset[tuple[str, float]]


class TriedConfigs:
    """The configurations of a space that were tried.

    Two configurations are the same if each active parameter has the same value. A value on a grid of steps is known by
    its index, so that the rounding of floats does not make two of one.

    Args:
        space: A valid space.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._keys: set[_Key] = set()

    def __contains__(self, config: Config) -> bool:
        return self._key(config) in self._keys

    def add(self, config: Config) -> None:
        """Add a configuration. One that is not in the space is left out: the run was forced to go on in another."""
        if self._space.contains(config):
            self._keys.add(self._key(config))

    def first_untried(self, configs: Iterable[Config] = ()) -> Config | None:
        """Return the first untried one of some configurations, else of the whole space if it is finite; else None.

        Args:
            configs: Configurations of the space, which are looked at first.
        """
        for config in configs:
            if config not in self:
                return config
        if not isinstance(self._space.size, int) or len(self._keys) >= self._space.size:
            return None
        return next((config for config in self._space.grid() if config not in self), None)

    def _key(self, config: Config) -> _Key:
        return frozenset(encode(self._space, config).items())
