"""How often what a trial asks for is there."""

from __future__ import annotations

from tune_jobs.experiment.resources import Resources


def asked_for(resources: Resources) -> dict[str, float]:
    """What a trial asks for, by field of Resources or by its own name; CPUs always, nothing else that is 0."""
    optional = {"gpus": resources.first_gpus, "memory_bytes": resources.memory_bytes or 0, **resources.custom}
    return {"cpus": resources.cpus, **{name: amount for name, amount in optional.items() if amount}}


def trials_per_amount(name: str, asked: float, there: float) -> int:
    """How many trials an amount is enough for; a part of a GPU is a part of one GPU."""
    if name == "gpus" and asked < 1:
        return int(there) * _whole(1 / asked)
    return _whole(there / asked)


def _whole(quotient: float) -> int:
    return int(quotient + 1e-9)  # 0.3 / 0.1 is less than 3
