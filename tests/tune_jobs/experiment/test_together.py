"""Experiments whose trials cannot train together are refused in words, before there is a Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search_spaces.checked import InvalidDeclaration
from tests.support.fakes import NeverTrained, experiment
from trainables import Hypergradient
from tune_jobs import Resources
from tune_jobs.engine.runner import request_problems
from tune_jobs.experiment.together import backend_problems
from tune_jobs.experiment.trainable_problems import keras_backend


class StepsAlone(NeverTrained):
    """A trainable with a step of its own."""

    def step(self) -> Any:
        """Return what the base returns."""
        return super().step()


class Adjusts(NeverTrained):
    """A trainable whose rate follows a gradient."""

    hypergradient = Hypergradient()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"together": 0}, "`together` is 0, but must be a whole number >= 1"),
        ({"together": -3}, "`together` is -3, but must be a whole number >= 1"),
        ({"together": 2.0}, "`together` is 2.0, but must be a whole number >= 1"),
        ({"together": True}, "`together` is True, but must be a whole number >= 1"),
        ({"together": "4"}, "`together` is '4', but must be a whole number >= 1"),
        ({"together": None}, "`together` is None, but must be a whole number >= 1"),
        ({"together": 2, "on_oom": "grow"}, "`together` is 2, but the shares of a GPU differ between trials"),
        ({"together": 2, "resources": Resources(gpus="auto")}, "`together` is 2, but the shares of a GPU differ"),
        ({"together": 2, "resources": Resources(gpus=2)}, "a worker has 2 GPUs, and trials train together on one"),
        ({"together": 2, "trainable": StepsAlone}, "StepsAlone has steps of its own, and only epochs of Keras train"),
        ({"together": 2, "trainable": Adjusts}, "Adjusts.hypergradient works on TensorFlow, and trials train together"),
    ],
)
def test_each_mistake_says_what_to_do(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidDeclaration, match=sentence):
        experiment(**fields)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        experiment(together=2, resources=Resources(gpus="auto"), trainable=StepsAlone, max_epochs=0)
    assert [word in str(caught.value) for word in ("shares of a GPU", "steps of its own", "max_epochs")] == [True] * 3


def test_trials_that_train_one_by_one_may_have_all_of_it() -> None:
    experiment(together=1, resources=Resources(gpus="auto"), on_oom="grow", trainable=StepsAlone)


def test_an_experiment_for_jax_can_be_read_on_another_backend_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = experiment(together=2, resources=Resources(gpus=0))
    for backend in ("tensorflow", "torch"):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        (problem,) = request_problems(declared, tmp_path, "a")
        assert problem == (
            f"The value of `together` is 2, but Keras runs on {backend} here, and trials train together on JAX only: "
            "set KERAS_BACKEND=jax, or let it be 1."
        )
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert request_problems(declared, tmp_path, "a") == []
    assert backend_problems(2) == []


def test_the_backend_is_that_of_the_variable_or_of_the_settings_of_keras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert keras_backend() == "tensorflow"
    for text, backend in (
        ('{"backend": "jax"}', "jax"),
        ("{", "tensorflow"),
        ("[]", "tensorflow"),
        ("{}", "tensorflow"),
    ):
        (tmp_path / "keras.json").write_text(text)
        assert keras_backend() == backend
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert keras_backend() == "torch"
