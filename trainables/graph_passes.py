"""How often TensorFlow's optimiser goes over a graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def one_pass() -> Iterator[None]:
    """Has it go over every graph that is first run within this once, not twice.

    The second pass finds next to nothing in the steps of a network, and takes a fifth of what a small one's first
    epoch takes beyond a later one. What users set by ``tf.config.optimizer`` stays as they set it. There is no
    public way to ask for it (TensorFlow 2.21).
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
    from tensorflow.python.eager import context

    options = context.context().function_call_options
    before = options.config_proto_serialized
    config = config_pb2.ConfigProto.FromString(before)
    config.graph_options.rewrite_options.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    options.config_proto_serialized = config
    try:
        yield
    finally:
        options.config_proto_serialized = config_pb2.ConfigProto.FromString(before)
