"""The seed of TensorFlow on other backends, which do not import it: it is set when somebody else does.

Private names: those of ``keras.src`` that ``global_state`` knows. They buy 2 CPU s of a worker on JAX or PyTorch:
the import of TensorFlow. Without them, Keras's public ``set_random_seed`` imports TensorFlow to seed it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import keras
import numpy as np

from trainables.internals.global_state import keras_state_module, seed_keys


def set_random_seed(seed: int) -> None:
    """Seed every generator like ``keras.utils.set_random_seed``, but do not import TensorFlow for another backend.

    The import takes 2 CPU s. If somebody imports TensorFlow later, it begins with the seed that was set last.

    Args:
        seed: The seed, in [0, 2**32).
    """
    keras_state, keys, backend = keras_state_module(), seed_keys(), keras.backend.backend()
    if keras_state is None or keys is None or backend == "tensorflow" or "tensorflow" in sys.modules:
        keras.utils.set_random_seed(seed)
        return
    keras_state.set_global_attribute(keys[0], seed)
    keras_state.set_global_attribute(keys[1], None)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    if backend == "torch":
        import_module("torch").manual_seed(seed)
    _SeedsTensorFlow.seed = seed
    if _SeedsTensorFlow not in sys.meta_path:
        sys.meta_path = [_SeedsTensorFlow, *sys.meta_path]


class _SeedsTensorFlow:
    """A finder that is asked before all others, and seeds TensorFlow when it is imported.

    Attributes:
        seed: The seed that was set last.
    """

    seed = 0

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of TensorFlow, or None; see ``importlib.abc.MetaPathFinder``."""
        spec = PathFinder.find_spec(name, path, target) if name == "tensorflow" else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_seed(module: ModuleType) -> None:
            execute(module)
            module.random.set_seed(cls.seed)

        vars(spec.loader)["exec_module"] = execute_and_seed
        return spec
