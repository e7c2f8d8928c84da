"""A graph with a random operation is noticed, and without TensorFlow's private name nothing breaks."""

from __future__ import annotations

from importlib import import_module

import pytest
import tensorflow as tf

from trainables.internals import stateful_draws
from trainables.internals.stateful_draws import random_graphs


def test_the_private_name_tells_of_a_random_operation() -> None:
    tf.random.set_seed(1)
    before = random_graphs()

    @tf.function
    def plain(x: tf.Tensor) -> tf.Tensor:
        return x + tf.random.stateless_normal((2,), (1, 2))

    plain(tf.zeros(2))
    assert not random_graphs() - before

    @tf.function
    def drawing(x: tf.Tensor) -> tf.Tensor:
        return x + tf.random.normal((2,))

    drawing(tf.zeros(2))
    assert random_graphs() - before


@pytest.mark.parametrize("is_module_gone", [False, True])
def test_without_it_there_are_none(monkeypatch: pytest.MonkeyPatch, *, is_module_gone: bool) -> None:
    if is_module_gone:
        monkeypatch.setattr(stateful_draws, "_MODULE", "tensorflow.python.framework.gone")
    else:
        monkeypatch.delattr(import_module("tensorflow.python.framework.random_seed"), "_graph_to_seed_dict")
    assert len(random_graphs()) == 0
