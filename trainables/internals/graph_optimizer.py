"""How often TensorFlow's optimiser goes over a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import keras


@contextmanager
def one_pass() -> Iterator[None]:
    """Has it go over every graph that is first run within this once, not twice.

    The second pass finds next to nothing in the steps of a network, and takes a tenth of what a small one's first
    epoch takes beyond a later one. What users set by ``tf.config.optimizer`` stays as they set it. There is no
    public way to ask for it (TensorFlow 2.21); without the private one, first epochs only take longer.
    """
    undo = None
    if keras.backend.backend() == "tensorflow":
        with suppress(ImportError, AttributeError):
            undo = _ask_for_one()
    try:
        yield
    finally:
        if undo is not None:
            undo()


def _ask_for_one() -> Callable[[], None]:
    from tensorflow.core.protobuf.config_pb2 import ConfigProto
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
    from tensorflow.python.eager import context

    options = context.context().function_call_options
    before = options.config_proto_serialized
    config = ConfigProto.FromString(before)
    config.graph_options.rewrite_options.meta_optimizer_iterations = RewriterConfig.ONE
    options.config_proto_serialized = config
    return lambda: setattr(options, "config_proto_serialized", ConfigProto.FromString(before))
