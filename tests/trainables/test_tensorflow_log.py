"""TensorFlow is kept quiet, unless the user has chosen a level."""

from __future__ import annotations

import os

import pytest

from trainables.tensorflow_log import quiet_tensorflow


@pytest.mark.parametrize(("chosen", "level"), [(None, "2"), ("0", "0")])
def test_a_level_that_the_user_has_chosen_stays(
    chosen: str | None, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", chosen or "")
    if chosen is None:
        monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    quiet_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == level
