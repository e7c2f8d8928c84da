"""What a share of a GPU means in bytes, and what each framework is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.devices.gpu_share import CONTEXT_BYTES, MARGIN, is_part, share_for, trials_per_gpu, usable_bytes
from trainables.settings import InvalidTrainable

GIB = 2**30


def test_none_asks_for_nothing() -> None:
    share = share_for(None, None)
    assert (dict(share.environment), share.limit_bytes, share.hides_gpus, share.grows) == ({}, None, False, False)


def test_no_gpu_hides_all_of_them_from_every_framework() -> None:
    share = share_for(0, None)
    assert share.hides_gpus
    assert share.environment == {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}


def test_a_quarter_is_a_quarter_less_what_cuda_takes() -> None:
    share = share_for(0.25, 16 * GIB)
    assert share.limit_bytes == 4 * GIB - CONTEXT_BYTES
    assert share.fraction == pytest.approx((4 * GIB - CONTEXT_BYTES) / (16 * GIB))
    assert share.environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.2031"
    assert share.environment["XLA_CLIENT_MEM_FRACTION"] is None  # JAX refuses both
    assert "XLA_PYTHON_CLIENT_PREALLOCATE" not in share.environment


@pytest.mark.parametrize("gpus", [1, 2, 8])
def test_whole_gpus_are_not_limited_and_memory_is_taken_as_needed(gpus: float) -> None:
    share = share_for(gpus, None)
    assert (share.limit_bytes, share.fraction, share.grows) == (None, None, True)
    assert share.environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


def test_a_part_of_a_gpu_that_is_not_there_limits_nothing() -> None:
    assert share_for(0.25, None) == share_for(None, None)


def test_a_share_that_leaves_nothing_beside_cuda_is_refused_with_one_that_does() -> None:
    with pytest.raises(InvalidTrainable, match=r"512 MiB of a GPU with 8192 MiB.*give each trial 0\.11 or more"):
        share_for(1 / 16, 8 * GIB)


@given(st.floats(0.001, 0.999), st.integers(2 * GIB, 200 * GIB))
def test_all_that_share_a_gpu_fit_on_it_with_their_contexts(gpus: float, total_bytes: int) -> None:
    assert is_part(gpus)
    try:
        share = share_for(gpus, total_bytes)
    except InvalidTrainable:
        return
    assert share.limit_bytes is not None
    assert int(1 / gpus) * (share.limit_bytes + CONTEXT_BYTES) <= total_bytes


@given(st.integers(0, 200 * GIB), st.integers(GIB, 200 * GIB), st.integers(1, 16))
def test_the_largest_number_of_trials_whose_peaks_fit_with_the_margin(peak: int, total: int, most: int) -> None:
    trials = trials_per_gpu(peak, total, most)
    assert 1 <= trials <= most
    assert trials == 1 or usable_bytes(total, 1 / trials) >= MARGIN * peak
    assert trials == most or usable_bytes(total, 1 / (trials + 1)) < MARGIN * peak
