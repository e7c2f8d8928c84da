"""A look at what a ``fit`` or ``run_trial`` of the user's own does, without training anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_ACTIVE: list[Probe] = []


class ProbeEnds(BaseException):
    """The end of a probe: from here on, the code would train. No ``except Exception`` of the code catches it."""


@dataclass
class Probe:
    """The calls of ``fit`` that some code makes.

    Attributes:
        calls: The positional arguments and the arguments by name of each call.
        history: The history that each call returns; it has no epochs.
        built: Returns a model that was built already for the same configuration; None if there is none.
        trains_by_itself: True if the code calls a model, or another method that trains or evaluates it.
    """

    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)
    history: Any = None
    trains_by_itself: bool = False
    built: Callable[[], Any] = lambda: None

    def record(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Take in a call of ``fit``, and return the history."""
        self.calls.append((args, kwargs))
        return self.history

    def end(self) -> None:
        """End the probe.

        Raises:
            ProbeEnds: Always.
        """
        self.trains_by_itself = True
        raise ProbeEnds


def active_probe() -> Probe | None:
    """Return the probe that goes on; None if there is none."""
    return _ACTIVE[-1] if _ACTIVE else None


@contextmanager
def probing(built: Callable[[], Any] = lambda: None) -> Iterator[Probe]:
    """Record the calls of ``keras.Model.fit`` in the block. Whatever else would train ends the block silently.

    Args:
        built: Returns a model that was built already for the same configuration; None if there is none.
    """
    import keras

    probe = Probe(history=keras.callbacks.History(), built=built)
    probe.history.history = {}

    def fit(model: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001 - of any model
        return probe.record(args, kwargs)

    def train(model: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001
        probe.end()

    original = keras.Model.__call__

    def call(model: Any, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(part, keras.KerasTensor) for part in keras.tree.flatten((args, kwargs))):
            return original(model, *args, **kwargs)
        return probe.end()

    replaced = {
        "fit": fit,
        "__call__": call,
        **dict.fromkeys(("evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"), train),
    }
    inherited = object()
    before = {name: vars(keras.Model).get(name, inherited) for name in replaced}
    for name, value in replaced.items():
        setattr(keras.Model, name, value)
    _ACTIVE.append(probe)
    try:
        yield probe
    except ProbeEnds:
        pass
    finally:
        _ACTIVE.pop()
        for name, value in before.items():
            if value is inherited:
                delattr(keras.Model, name)
            else:
                setattr(keras.Model, name, value)
