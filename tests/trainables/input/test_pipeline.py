"""What a model is fed: every example once an epoch, in a reproducible order, from memory that is not copied."""

import gc

import keras
import numpy as np
import pytest

from trainables import FitOptions, InvalidTrainable
from trainables.input.pipeline import training_input, validation_input

EXAMPLES = 10
IDS = np.arange(EXAMPLES, dtype=np.float32)


def aligned(values: np.ndarray, offset_bytes: int = 0) -> np.ndarray:
    """A copy whose memory begins ``offset_bytes`` behind a multiple of 64 bytes, as the object store's does."""
    memory = np.zeros(values.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset_bytes
    array = memory[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def batches(dataset) -> list:
    if isinstance(dataset, keras.utils.PyDataset):
        return [dataset[step] for step in range(len(dataset))]
    return list(dataset.as_numpy_iterator())


def epoch_of(split, epoch=0, seed=0, batch_size=4, options=None) -> list:
    return batches(training_input(split, batch_size, seed, options or FitOptions()).for_epoch(epoch))


def flat(parts) -> np.ndarray:
    return np.concatenate(list(parts))


@pytest.fixture(params=["tensorflow", "jax"])
def backend(request, monkeypatch) -> str:
    """The input for tf.data, and the one for the backends that do not read it."""
    monkeypatch.setattr(keras.backend, "backend", lambda: request.param)
    return request.param


def test_an_epoch_sees_every_example_once(backend):
    seen = epoch_of((IDS, -IDS))
    assert [len(x) for x, _ in seen] == [4, 4, 2]
    assert sorted(flat(x for x, _ in seen)) == IDS.tolist()
    np.testing.assert_array_equal(flat(x for x, _ in seen), -flat(y for _, y in seen))


def test_the_order_depends_on_seed_and_epoch_only(backend):
    def order(seed, epoch):
        return flat(x for x, _ in epoch_of((IDS, IDS), epoch, seed)).tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_an_epoch_does_not_depend_on_those_before():
    used = training_input((IDS, IDS), 4, 0, FitOptions())
    for epoch in (0, 1):
        batches(used.for_epoch(epoch))
    np.testing.assert_array_equal(
        flat(x for x, _ in batches(used.for_epoch(5))), flat(x for x, _ in epoch_of((IDS, IDS), 5))
    )


def test_the_backends_get_the_same_batches(monkeypatch):
    by_tensorflow = epoch_of((IDS, IDS), epoch=3)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    for one, other in zip(by_tensorflow, epoch_of((IDS, IDS), epoch=3), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nested_inputs_keep_their_structure(backend):
    split = ({"id": IDS, "pair": (IDS + 1, IDS + 2)}, (IDS, -IDS))
    for x, (y, negative) in epoch_of(split):
        np.testing.assert_array_equal(x["pair"][1], x["id"] + 2)
        np.testing.assert_array_equal(x["pair"][0], x["id"] + 1)
        np.testing.assert_array_equal(x["id"], y)
        np.testing.assert_array_equal(x["id"], -negative)


def test_validation_comes_in_its_own_order(backend):
    seen = batches(validation_input((IDS, IDS, IDS / 2), 4))
    assert [len(x) for x, _, _ in seen] == [4, 4, 2]
    np.testing.assert_array_equal(flat(x for x, _, _ in seen), IDS)
    np.testing.assert_array_equal(flat(weight for _, _, weight in seen), IDS / 2)


# Weights.


def test_no_weights_no_third_part(backend):
    assert {len(batch) for batch in epoch_of((IDS, IDS))} == {2}


def test_every_kind_of_weight_is_multiplied(backend):
    labels = (IDS % 3).astype(np.int32)
    options = FitOptions(sample_weight=IDS + 1, class_weight={0: 10.0, 2: 0.5})
    for x, y, weight in epoch_of((IDS, labels, np.full(EXAMPLES, 3.0)), options=options):
        by_class = np.array([{0: 10.0, 2: 0.5}.get(label, 1.0) for label in y])
        np.testing.assert_allclose(weight, 3 * (x + 1) * by_class)


def test_class_weights_understand_one_hot_labels(backend):
    labels = np.eye(3, dtype=np.float32)[IDS.astype(int) % 3]
    for _, y, weight in epoch_of((IDS, labels), options=FitOptions(class_weight={1: 5.0})):
        np.testing.assert_array_equal(weight, np.where(y.argmax(axis=1) == 1, 5, 1))


def test_weights_of_several_outputs_pass_through(backend):
    split = (IDS, {"a": IDS, "b": IDS}, {"a": IDS, "b": -IDS})
    for x, _, weight in epoch_of(split):
        np.testing.assert_array_equal(weight["b"], -x)


@pytest.mark.parametrize("weights", [np.ones(9), np.ones(11), np.ones((10, 2))])
def test_weights_for_other_examples_are_a_mistake(weights):
    with pytest.raises(InvalidTrainable, match="one weight for each of the 10 training examples"):
        epoch_of((IDS, IDS), options=FitOptions(sample_weight=weights))


def test_class_weights_of_several_outputs_are_a_mistake():
    with pytest.raises(InvalidTrainable, match="give sample_weight instead"):
        epoch_of((IDS, (IDS, IDS)), options=FitOptions(class_weight={0: 1.0}))


# Augmentation.


def test_augmentation_gets_a_new_seed_for_every_batch_and_the_same_one_again():
    def with_seed(x, y, seed):
        return x[:, None] * 0 + keras.ops.cast(seed, "float32"), y

    def seeds(epoch):
        seen = epoch_of((IDS, IDS), epoch, options=FitOptions(augment=with_seed))
        return [tuple(x[0]) for x, _ in seen]

    assert seeds(0) == seeds(0)
    assert len({*seeds(0), *seeds(1)}) == 6


def test_augmentation_leaves_weights_alone():
    options = FitOptions(augment=lambda x, y, _: (-x, y), class_weight={0: 2.0})
    for x, y, weight in epoch_of((IDS, IDS), options=options):
        np.testing.assert_array_equal(x, -y)
        np.testing.assert_array_equal(weight, np.where(y == 0, 2, 1))


# Memory.


@pytest.mark.parametrize("kind", ["training", "validation"])
def test_an_aligned_read_only_array_is_not_copied(kind):
    memory = aligned(IDS)
    shared = read_only(memory)
    if kind == "training":
        dataset = training_input((shared, shared), 4, 0, FitOptions()).for_epoch(0)
    else:
        dataset = validation_input((shared, shared), 4)
    memory += 100  # what reads the same memory sees this; what copied it does not
    assert sorted(flat(x for x, _ in batches(dataset))) == (IDS + 100).tolist()


@pytest.mark.parametrize(
    "array",
    [
        aligned(IDS, offset_bytes=4),
        read_only(aligned(IDS, offset_bytes=4)),
        np.repeat(IDS, 2)[::2],
        np.asfortranarray(np.stack([IDS, IDS], axis=1))[:, 0],
        aligned(IDS.astype(np.uint8)),
        aligned(IDS.astype(np.float16)),
        aligned(IDS.astype(np.int64)),
        np.broadcast_to(np.float32(7), EXAMPLES),
    ],
    ids=["unaligned", "unaligned-read-only", "strided", "column", "uint8", "float16", "int64", "broadcast"],
)
def test_every_array_arrives_whole(array):
    assert sorted(flat(x for x, _ in epoch_of((array, IDS)))) == sorted(array.tolist())


def test_booleans_and_strings_arrive():
    seen = epoch_of((IDS > 4, np.array([f"{number}" for number in range(EXAMPLES)])))
    for flags, names in seen:
        np.testing.assert_array_equal(flags, [int(name) > 4 for name in names])


def test_the_shared_memory_lives_as_long_as_it_is_read():
    def make():
        shared = read_only(aligned(np.arange(100_000, dtype=np.float32)))
        return training_input((shared, shared), 1000, 0, FitOptions()).for_epoch(0)

    dataset = make()
    gc.collect()
    overwritten = [np.full(100_000, -1, np.float32) for _ in range(20)]
    assert sorted(flat(x for x, _ in batches(dataset))) == list(range(100_000))
    assert len(overwritten) == 20
