"""A model is fed with every example once an epoch, in a reproducible order, with its weight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import pytest

from trainables import FitOptions, InvalidTrainable
from trainables.data.nested import Split
from trainables.input.pipeline import ValidationInput, batches_in_order, training_input

EXAMPLES = 10
IDS = np.arange(EXAMPLES, dtype=np.float32)


def batches(dataset: Any) -> list[Any]:
    if isinstance(dataset, keras.utils.PyDataset):
        return [dataset[step] for step in range(len(dataset))]
    return list(dataset.as_numpy_iterator())


def epoch_of(
    split: Split, epoch: int = 0, seed: int = 0, batch_size: int = 4, options: FitOptions | None = None
) -> list[Any]:
    return batches(training_input(split, batch_size, seed, options or FitOptions()).for_epoch(epoch))


def joined(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(parts))


@pytest.fixture(params=["tensorflow", "jax"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The input for tf.data, and the one for the backends that do not read it."""
    monkeypatch.setattr(keras.backend, "backend", lambda: request.param)
    return request.param


def test_an_epoch_sees_every_example_once(backend: str) -> None:
    seen = epoch_of((IDS, -IDS))
    assert [len(x) for x, _ in seen] == [4, 4, 2]
    assert sorted(joined(x for x, _ in seen)) == IDS.tolist()
    np.testing.assert_array_equal(joined(x for x, _ in seen), -joined(y for _, y in seen))


def test_the_order_depends_on_seed_and_epoch_only(backend: str) -> None:
    def order(seed: int, epoch: int) -> list[float]:
        return joined(x for x, _ in epoch_of((IDS, IDS), epoch, seed)).tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_an_epoch_does_not_depend_on_those_before() -> None:
    used = training_input((IDS, IDS), 4, 0, FitOptions())
    for epoch in (0, 1):
        batches(used.for_epoch(epoch))
    np.testing.assert_array_equal(
        joined(x for x, _ in batches(used.for_epoch(5))), joined(x for x, _ in epoch_of((IDS, IDS), 5))
    )


def test_the_backends_get_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    by_tensorflow = epoch_of((IDS, IDS), epoch=3)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    for one, other in zip(by_tensorflow, epoch_of((IDS, IDS), epoch=3), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nested_inputs_keep_their_structure(backend: str) -> None:
    split = ({"id": IDS, "pair": (IDS + 1, IDS + 2)}, (IDS, -IDS))
    for x, (y, negative) in epoch_of(split):
        np.testing.assert_array_equal(x["pair"][1], x["id"] + 2)
        np.testing.assert_array_equal(x["pair"][0], x["id"] + 1)
        np.testing.assert_array_equal(x["id"], y)
        np.testing.assert_array_equal(x["id"], -negative)


def test_validation_comes_in_its_own_order(backend: str) -> None:
    seen = batches(batches_in_order((IDS, IDS, IDS / 2), 4))
    assert [len(x) for x, _, _ in seen] == [4, 4, 2]
    np.testing.assert_array_equal(joined(x for x, _, _ in seen), IDS)
    np.testing.assert_array_equal(joined(weight for _, _, weight in seen), IDS / 2)


# Weights.


def test_no_weights_no_third_part(backend: str) -> None:
    assert {len(batch) for batch in epoch_of((IDS, IDS))} == {2}


def test_every_kind_of_weight_is_multiplied(backend: str) -> None:
    labels = (IDS % 3).astype(np.int32)
    options = FitOptions(sample_weight=IDS + 1, class_weight={0: 10.0, 2: 0.5})
    for x, y, weight in epoch_of((IDS, labels, np.full(EXAMPLES, 3.0)), options=options):
        by_class = np.array([{0: 10.0, 2: 0.5}.get(label, 1.0) for label in y])
        np.testing.assert_allclose(weight, 3 * (x + 1) * by_class)


def test_class_weights_understand_one_hot_labels(backend: str) -> None:
    labels = np.eye(3, dtype=np.float32)[IDS.astype(int) % 3]
    for _, y, weight in epoch_of((IDS, labels), options=FitOptions(class_weight={1: 5.0})):
        np.testing.assert_array_equal(weight, np.where(y.argmax(axis=1) == 1, 5, 1))


def test_weights_of_several_outputs_pass_through(backend: str) -> None:
    split = (IDS, {"a": IDS, "b": IDS}, {"a": IDS, "b": -IDS})
    for x, _, weight in epoch_of(split):
        np.testing.assert_array_equal(weight["b"], -x)


@pytest.mark.parametrize("weights", [np.ones(9), np.ones(11), np.ones((10, 2))])
def test_weights_for_other_examples_are_a_mistake(weights: np.ndarray) -> None:
    with pytest.raises(InvalidTrainable, match="one weight for each of the 10 training examples"):
        epoch_of((IDS, IDS), options=FitOptions(sample_weight=weights))


def test_class_weights_of_several_outputs_are_a_mistake() -> None:
    with pytest.raises(InvalidTrainable, match="give sample_weight instead"):
        epoch_of((IDS, (IDS, IDS)), options=FitOptions(class_weight={0: 1.0}))


def test_weights_of_several_outputs_are_multiplied_with_those_of_the_examples(backend: str) -> None:
    split = (IDS, [IDS, -IDS], [IDS, IDS * 2])
    for x, _, weight in epoch_of(split, options=FitOptions(sample_weight=IDS + 1)):
        np.testing.assert_array_equal(weight[0], x * (x + 1))
        np.testing.assert_array_equal(weight[1], 2 * x * (x + 1))
    with pytest.raises(InvalidTrainable, match="for 2, 3 outputs"):
        epoch_of(split, options=FitOptions(sample_weight=[IDS, IDS, IDS]))


def test_a_weight_may_belong_to_each_step_of_an_example(backend: str) -> None:
    steps = np.stack([IDS, IDS * 2], axis=1)
    for x, _, weight in epoch_of((IDS, steps, IDS), options=FitOptions(sample_weight=steps)):
        np.testing.assert_array_equal(weight, np.stack([x * x, x * x * 2], axis=1))


@pytest.mark.parametrize("labels", [np.ones((10, 4), np.int32), IDS / 3])
def test_class_weights_of_labels_that_are_no_classes_are_a_mistake(labels: np.ndarray) -> None:
    with pytest.raises(InvalidTrainable, match="need one class for each example"):
        epoch_of((IDS, labels), options=FitOptions(class_weight={0: 1.0}))


# Lists.


def test_lists_of_arrays_are_read_as_tuples_of_batches() -> None:
    split = ([IDS, {"a": [IDS]}], [IDS, IDS])
    for seen in (epoch_of(split), batches(batches_in_order(split, 4))):
        (x, nested), y = seen[0]
        np.testing.assert_array_equal(x, nested["a"][0])
        assert [type(part) for part in (nested["a"], y)] == [tuple, tuple]
    (x, _), _ = epoch_of(split, options=FitOptions(augment=lambda x, y, seed: ([-x[0], x[1]], y)))[0]
    assert (x <= 0).all()


# Augmentation.


def test_augmentation_gets_a_new_seed_for_every_batch_and_the_same_one_again() -> None:
    def with_seed(x: Any, y: Any, seed: Any) -> tuple[Any, Any]:
        return x[:, None] * 0 + keras.ops.cast(seed, "float32"), y

    def seeds(epoch: int) -> list[tuple[float, ...]]:
        seen = epoch_of((IDS, IDS), epoch, options=FitOptions(augment=with_seed))
        return [tuple(x[0]) for x, _ in seen]

    assert seeds(0) == seeds(0)
    assert len({*seeds(0), *seeds(1)}) == 6


def test_augmentation_leaves_weights_alone() -> None:
    options = FitOptions(augment=lambda x, y, _: (-x, y), class_weight={0: 2.0})
    for x, y, weight in epoch_of((IDS, IDS), options=options):
        np.testing.assert_array_equal(x, -y)
        np.testing.assert_array_equal(weight, np.where(y == 0, 2, 1))


def test_a_data_set_that_is_divided_among_devices_has_as_many_batches() -> None:
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert ValidationInput(batches_in_order((IDS, IDS), 4)).steps == -(-EXAMPLES // 4)
