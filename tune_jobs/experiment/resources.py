"""The resources that each trial gets of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from search_spaces.checked import Checked
from search_spaces.messages import short_repr
from tune_jobs.base.amounts import field_named
from tune_jobs.base.rules import amount_problem, count_problem, positive_problem

Gpus: TypeAlias = float | Literal["auto"]
OnOom: TypeAlias = Literal["fail", "grow"]

MAX_TRIALS_PER_GPU = 16
"""The largest number of trials that share a GPU with ``gpus="auto"``. If more share one, they mostly wait."""


@dataclass(frozen=True)
class Resources(Checked):
    """The resources of one trial.

    Attributes:
        cpus: The number of CPUs. TensorFlow uses as many threads.
        gpus: The number of GPUs. With a fraction (0.25) the trial is held to that part of one GPU's memory, with 0 it
            sees no GPU. "auto": the first trials get a whole GPU each and measure how much memory they use; the others
            get the share of a GPU that suffices for it.
        memory_bytes: The main memory to reserve for the trial on its machine; None: memory is not counted.
        custom: Other resources of a cluster's nodes by name, such as ``{"a100": 1}``.

    Raises:
        InvalidDeclaration: An amount is wrong; all mistakes are listed.

    Example:
        >>> from tune_jobs import Resources
        >>> Resources(cpus=2, gpus=0.25)
        Resources(cpus=2, gpus=0.25, memory_bytes=None, custom={})
        >>> Resources(gpus=1.5)
        Traceback (most recent call last):
        search_spaces.checked.InvalidDeclaration: The value of `gpus` is 1.5, but above 1 it must be a whole number: ...
    """

    cpus: float = 1
    gpus: Gpus = 0
    memory_bytes: int | None = None
    custom: Mapping[str, float] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """Return all that is wrong with the resources, a sentence each."""
        memory = None if self.memory_bytes is None else count_problem("memory_bytes", self.memory_bytes)
        problems = [amount_problem("cpus", self.cpus), _gpus_problem(self.gpus), memory]
        return [*(problem for problem in problems if problem), *_custom_problems(self.custom)]

    @property
    def first_gpus(self) -> float:
        """The GPUs of a trial while nothing has been measured. The machine must have as many."""
        return 1 if self.gpus == "auto" else self.gpus

    @property
    def minimum(self) -> Resources:
        """The fewest resources that a trial can get. They bound the number of trials that run at the same time."""
        return replace(self, gpus=1 / MAX_TRIALS_PER_GPU) if self.gpus == "auto" else self

    def to_ray(self, gpus: float | None = None) -> dict[str, float]:
        """Return the request to Ray, by Ray's names of the resources.

        Args:
            gpus: The GPUs of a trial whose share has changed; None: the declared ones.
        """
        request = {"cpu": self.cpus, "gpu": self.first_gpus if gpus is None else gpus, **self.custom}
        return request if self.memory_bytes is None else {**request, "memory": self.memory_bytes}

    def to_json(self) -> dict[str, Any]:
        """Return the arguments that make the resources again."""
        return {"cpus": self.cpus, "gpus": self.gpus, "memory_bytes": self.memory_bytes, "custom": dict(self.custom)}


def _gpus_problem(gpus: object) -> str | None:
    if isinstance(gpus, str) and gpus == "auto":
        return None
    if isinstance(gpus, int | float) and gpus == 0 and not isinstance(gpus, bool):
        return None
    if positive_problem("gpus", gpus):
        return f"The value of `gpus` is {short_repr(gpus)}, but must be 0, a fraction, a whole number, or 'auto'."
    if problem := amount_problem("gpus", gpus):
        return problem
    if isinstance(gpus, int | float) and gpus > 1 and gpus != int(gpus):
        return (
            f"The value of `gpus` is {gpus}, but above 1 it must be a whole number: "
            "a trial gets a part of one GPU, or several whole ones."
        )
    return None


def _custom_problems(custom: object) -> list[str]:
    if not isinstance(custom, Mapping):
        return [
            f"The value of `custom` is {short_repr(custom)}, but must be a dictionary of names to numbers: "
            "{'a100': 1}."
        ]
    problems = []
    for name, amount in custom.items():
        if not isinstance(name, str) or not name.strip():
            problems.append(
                f"The name of a custom resource is {short_repr(name)}, but must be a text that is not empty."
            )
        elif field_meant := "memory_bytes" if name.lower() == "object_store_memory" else field_named(name):
            problems.append(f"The name of a custom resource is {short_repr(name)}, but must not be: use {field_meant}.")
        elif problem := amount_problem(f"custom[{short_repr(name)}]", amount):
            problems.append(problem)
    return problems
