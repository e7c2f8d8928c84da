"""TensorFlow stays away where Keras only asks whether an object is one of TensorFlow's.

Private names: ``keras.src.utils.module_utils.tensorflow`` and its ``_available``. They buy 2 CPU s of a worker on JAX
or PyTorch: to describe a model, Keras imports TensorFlow, and asks of each part of the description whether it is a type
of TensorFlow's. Without them Keras imports it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_MODULE = "keras.src.utils.module_utils"


@contextmanager
def unused_tensorflow() -> Iterator[None]:
    """Let Keras do without TensorFlow within a block, if nobody has imported it: there are no objects of its types."""
    module = getattr(sys.modules.get(_MODULE), "tensorflow", None)
    is_undecided = getattr(module, "__dict__", {}).get("_available", "") is None  # its own __getattr__ would import it
    if module is None or not is_undecided or "tensorflow" in sys.modules:
        yield
        return
    module._available = False
    try:
        yield
    finally:
        module._available = None
