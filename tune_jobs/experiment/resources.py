"""What each trial gets of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from search_spaces.checked import Checked
from tune_jobs.base.amounts import field_named
from tune_jobs.base.rules import count_problem, positive_problem

Gpus: TypeAlias = float | Literal["auto"]
OnOom: TypeAlias = Literal["fail", "grow"]

MOST_TRIALS_A_GPU = 16
"""How many trials share a GPU at most where "auto" decides: beyond that, the work of each mostly waits for others'."""


@dataclass(frozen=True)
class Resources(Checked):
    """What each trial gets.

    Attributes:
        cpus: CPUs, which are also the threads that its TensorFlow uses.
        gpus: GPUs: a fraction (0.25), whose memory it is held to; whole ones; 0: it sees none. "auto": the first
            trials get a whole GPU each and measure what they use, the others the part of one that this fits in.
        memory_bytes: Main memory that is set aside for it on its machine; None: nobody counts.
        custom: Other resources of a cluster's nodes by name, such as ``{"a100": 1}``.
    """

    cpus: float = 1
    gpus: Gpus = 0
    memory_bytes: int | None = None
    custom: Mapping[str, float] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """All that is wrong with them."""
        memory = None if self.memory_bytes is None else count_problem("memory_bytes", self.memory_bytes)
        problems = [positive_problem("cpus", self.cpus), _gpus_problem(self.gpus), memory]
        return [*(problem for problem in problems if problem), *_custom_problems(self.custom)]

    @property
    def first_gpus(self) -> float:
        """GPUs of a trial as long as nothing has been measured: so many there must be."""
        return 1 if self.gpus == "auto" else self.gpus

    @property
    def least(self) -> Resources:
        """The least that a trial can get: it bounds how many run side by side."""
        return replace(self, gpus=1 / MOST_TRIALS_A_GPU) if self.gpus == "auto" else self

    def to_ray(self, gpus: float | None = None) -> dict[str, float]:
        """What Ray is asked for.

        Args:
            gpus: GPUs of a trial whose share has changed; None: what is declared.
        """
        asked = {"cpu": self.cpus, "gpu": self.first_gpus if gpus is None else gpus, **self.custom}
        return asked if self.memory_bytes is None else {**asked, "memory": self.memory_bytes}

    def to_json(self) -> dict[str, Any]:
        """The arguments that make them again."""
        return {"cpus": self.cpus, "gpus": self.gpus, "memory_bytes": self.memory_bytes, "custom": dict(self.custom)}


def _gpus_problem(gpus: object) -> str | None:
    if gpus == "auto":
        return None
    if gpus == 0 and not isinstance(gpus, bool):
        return None
    if positive_problem("gpus", gpus):
        return f"The value of `gpus` is {gpus!r}, but must be 0, a fraction, a whole number, or 'auto'."
    if isinstance(gpus, int | float) and gpus > 1 and gpus != int(gpus):
        return (
            f"The value of `gpus` is {gpus}, but above 1 it must be a whole number: "
            "a trial gets a part of one GPU, or several whole ones."
        )
    return None


def _custom_problems(custom: object) -> list[str]:
    if not isinstance(custom, Mapping):
        return [f"The value of `custom` is {custom!r}, but must be a dictionary of names to numbers: {{'a100': 1}}."]
    problems = []
    for name, amount in custom.items():
        if not isinstance(name, str) or not name.strip():
            problems.append(f"The name of a custom resource is {name!r}, but must be a text that is not empty.")
        elif field_meant := "memory_bytes" if name.lower() == "object_store_memory" else field_named(name):
            problems.append(f"The name of a custom resource is {name!r}, but must not be: use {field_meant}.")
        elif problem := positive_problem(f"custom[{name!r}]", amount):
            problems.append(problem)
    return problems
