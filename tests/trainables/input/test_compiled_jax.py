"""How hard JAX compiles follows from the expected number of epochs. ``jax_steps`` has the tests that compile."""

from __future__ import annotations

import pytest

from trainables.input.compiled_jax import expected_epochs


@pytest.mark.parametrize(
    ("max_epochs", "milestones", "expected"),
    [(10, (), 10), (27, (1, 3, 9), 3), (27, (1, 3, 9, 27), 3), (27, (9, 3, 1, 3), 3), (4, (2,), 3), (1, (1,), 1)],
)
def test_a_trial_is_expected_to_train_as_long_as_halving_lets_it(
    max_epochs: int, milestones: tuple[int, ...], expected: float
) -> None:
    assert expected_epochs(max_epochs, milestones) == expected
