"""Arrays become tensors over the same memory where that is possible, and arrive whole in any case."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from tests.support.arrays import aligned, read_only
from tests.trainables.input.test_pipeline import IDS, batches, epoch_of, joined
from trainables import FitOptions
from trainables.input.gathered_steps import GatheredInput
from trainables.input.pipeline import batches_in_order, training_input
from trainables.input.tensors import as_tensor


@pytest.mark.parametrize("kind", ["training", "validation"])
def test_an_aligned_read_only_array_is_not_copied(kind: str) -> None:
    memory = aligned(IDS)
    shared = read_only(memory)
    if kind == "training":
        dataset = training_input((shared, shared), 4, 0, FitOptions()).for_epoch(0)
    else:
        dataset = batches_in_order((shared, shared), 4)
    memory += 100  # what reads the same memory sees this; what copied it does not
    assert sorted(joined(x for x, _ in batches(dataset))) == (IDS + 100).tolist()


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
        np.broadcast_to(np.float32(7), len(IDS)),
    ],
    ids=["unaligned", "unaligned-read-only", "strided", "column", "uint8", "float16", "int64", "broadcast"],
)
def test_every_array_arrives_whole(array: np.ndarray) -> None:
    assert sorted(joined(x for x, _ in epoch_of((array, IDS)))) == sorted(array.tolist())


def test_booleans_and_strings_arrive() -> None:
    seen = epoch_of((IDS > 4, np.array([f"{number}" for number in range(len(IDS))])))
    for flags, names in seen:
        np.testing.assert_array_equal(flags, [int(name) > 4 for name in names])


def test_the_shared_memory_lives_as_long_as_it_is_read() -> None:
    def make() -> object:
        shared = read_only(aligned(np.arange(100_000, dtype=np.float32)))
        return training_input((shared, shared), 1000, 0, FitOptions()).for_epoch(0)

    dataset = make()
    gc.collect()
    overwritten = [np.full(100_000, -1, np.float32) for _ in range(20)]
    assert sorted(joined(x for x, _ in batches(dataset))) == list(range(100_000))
    assert len(overwritten) == 20


@pytest.mark.parametrize("kind", ["spans", "training", "validation"])
def test_nothing_adjusts_what_only_slices_and_gathers(kind: str) -> None:
    data = {
        "spans": lambda: GatheredInput((IDS, IDS), 4, 0, as_tensor, 2).for_epoch(0),
        "training": lambda: training_input((IDS, IDS), 4, 0, FitOptions()).for_epoch(0),
        "validation": lambda: batches_in_order((IDS, IDS), 4),
    }[kind]()
    options = data.options()
    assert options.autotune.enabled is False
    assert options.experimental_optimization.apply_default_optimizations is False
