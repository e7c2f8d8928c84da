"""Submits an experiment to a cluster: checks all that can be checked from here, then sends it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tune_jobs.cluster.jobs import entrypoint, preflight, upload
from tune_jobs.cluster.jobs.job import Job
from tune_jobs.cluster.jobs.server import Server, find_address, reach
from tune_jobs.errors import JobFailed, RequestError

if TYPE_CHECKING:
    from tune_jobs.experiment.experiment import Experiment
    from tune_jobs.experiment.overrides import Overrides
    from tune_jobs.loading.loader import Loaded

_Value = TypeVar("_Value")

# What `tune-jobs run` takes that changes nothing in the experiment.
_NOT_IN_EXPERIMENT = ("name", "warm_start", "repeats", "top")


@dataclass
class _Findings:
    """What is wrong, gathered until nothing more can be found out."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def attempt(self, call: Callable[[], _Value]) -> _Value | None:
        try:
            return call()
        except RequestError as error:
            self.problems += error.problems
            return None


def submit(
    experiment: str,
    *,
    address: str | None = None,
    storage: str | None = None,
    working_dir: str | Path | None = None,
    requirements: str | Path | None = None,
    resume: str | None = None,
    **options: Any,
) -> Job:
    """Submits an experiment to a Ray cluster, whose head then does what ``tune-jobs run`` does.

    Args:
        experiment: A shipped name, a file (``path/to/file.py``, ``file.py:NAME``), or a module (``pkg.mod:NAME``).
        address: The cluster's Jobs server; None: what RAY_API_SERVER_ADDRESS or RAY_ADDRESS says.
        storage: The folder of the runs, as the cluster's nodes see it; None: ``~/runs`` of the head, where that is the
            only node.
        working_dir: The folder that is sent, which holds the experiment and all that it imports; None: the current
            one, or none for a shipped experiment.
        requirements: A file of packages to install for the job, as for ``pip install -r``.
        resume: The run of that storage to go on with; None: a new one is begun.
        **options: Those of ``tune-jobs run``, by the names of its options and of Experiment's fields: ``trials=50``,
            ``gpus=0.25``, ``name="first"``.

    Returns:
        The job. It goes on without this process.

    Raises:
        RequestError: Something is wrong with the request, all that can be known from here at once; nothing was sent.
        JobFailed: The cluster did not take it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before the experiment imports TensorFlow
    findings = _Findings()
    packages = findings.attempt(partial(_lines, requirements)) or []
    server = findings.attempt(lambda: reach(find_address(address)))
    loaded = findings.attempt(partial(_load, experiment, options, resume))
    sent = _sent(findings, experiment, working_dir)
    _check_cluster(findings, server, storage, loaded)
    if findings.problems or server is None or loaded is None:
        raise RequestError(*findings.problems)

    from tune_jobs.engine.run_folder.create import default_name

    name = resume or options.get("name") or default_name(loaded.name)
    place = storage or preflight.DEFAULT_STORAGE
    reference = _reference_there(experiment, sent)
    line = _run_line(reference, place, {**options, "name": name}) if resume is None else None
    job = _send(
        server,
        entrypoint=line or _resume_line(reference, place, name, options),
        runtime_env=entrypoint.runtime_env(sent, packages),
        metadata={
            entrypoint.RUN: name,
            entrypoint.EXPERIMENT: loaded.name,
            entrypoint.STORAGE: place,
            entrypoint.REFERENCE: loaded.reference,
        },
    )
    return Job(server, job, tuple(findings.notes))


def _run_line(reference: str, storage: str, options: Mapping[str, Any]) -> str:
    return entrypoint.command_line("tune_jobs", "run", reference, "--storage", storage, *entrypoint.flags(options))


def _resume_line(reference: str, storage: str, run: str, options: Mapping[str, Any]) -> str:
    asked = ["--experiment", reference, "--storage", storage, *entrypoint.flags(options)]
    return entrypoint.command_line("tune_jobs", "resume", run, *asked)


def _load(reference: str, options: Mapping[str, Any], resume: str | None) -> Loaded:
    """The experiment as it will be run, checked as ``run`` does, but for what only the cluster knows."""
    from tune_jobs.loading.loader import load

    def problems(experiment: Experiment) -> list[str]:
        return [*experiment.problems(), *_option_problems(options, resume)]

    return load(reference, _overrides(options).apply, problems)


def _overrides(options: Mapping[str, Any]) -> Overrides:
    from tune_jobs.experiment.overrides import Overrides

    named = {each.name for each in fields(Overrides)} - {"fields"}
    changes = {name: value for name, value in options.items() if name not in _NOT_IN_EXPERIMENT}
    own = {name: changes.pop(name) for name in named & set(changes)}
    return Overrides(**own, fields=changes)


def _option_problems(options: Mapping[str, Any], resume: str | None) -> list[str]:
    from tune_jobs.engine.run_folder.create import name_problems
    from tune_jobs.experiment.fields import changeable_fields

    name = resume or options.get("name")
    problems = [] if name is None else name_problems(name)
    given = [each for each, value in options.items() if value not in (None, (), [])]
    if resume is not None and (fixed := [each for each in given if each not in (*changeable_fields(), "top")]):
        told = ", ".join(map(entrypoint.flag, fixed))
        problems.append(
            f"The run {resume} is to go on, but {told} would change what it is: leave that out, or begin a new run."
        )
    if options.get("repeats") is not None and options.get("warm_start"):
        problems.append("--repeats tells what is luck, which --warm-start takes away: leave one of them out.")
    return problems


def _sent(findings: _Findings, experiment: str, working_dir: str | Path | None) -> Path | None:
    """The folder that is sent, if one is."""
    from tune_jobs.loading.loader import file_named, shipped, split_reference

    if working_dir is None and split_reference(experiment)[0] in (name for name, _ in shipped()):
        return None
    folder = Path(working_dir or ".")
    files = findings.attempt(partial(upload.contents, folder))
    if files is not None:
        file = file_named(experiment)
        known = file if file is not None and file.is_file() else None
        findings.problems += upload.upload_problems(folder, files, known)
    return folder


def _check_cluster(findings: _Findings, server: Server | None, storage: str | None, loaded: Loaded | None) -> None:
    import ray

    cluster = findings.attempt(server.cluster) if server else None
    findings.problems += preflight.storage_problems(storage, cluster)
    if cluster is None:
        return
    findings.problems += preflight.version_problems(cluster.ray, ray.__version__)
    findings.notes += preflight.python_notes(cluster.python, platform.python_version())
    if loaded is not None:
        findings.problems += preflight.fit_problems(loaded.experiment.resources, cluster)
        findings.notes += preflight.fit_notes(loaded.experiment.resources, cluster)


def _lines(requirements: str | Path | None) -> Sequence[str]:
    """What a file of requirements asks for.

    Raises:
        RequestError: It cannot be read, or asks for nothing.
    """
    if requirements is None:
        return []
    try:
        text = Path(requirements).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise RequestError(f"--requirements {requirements} cannot be read ({reason}): name another.") from None
    lines = [line for raw in text.splitlines() if (line := raw.strip()) and not line.startswith("#")]
    if not lines:
        raise RequestError(f"--requirements {requirements} names no package: leave it out, or fill it.")
    return lines


def _reference_there(reference: str, folder: Path | None) -> str:
    """The reference by which the head finds what ``reference`` names here."""
    from tune_jobs.loading.loader import file_named

    file = file_named(reference)
    if file is None or folder is None:
        return reference
    return file.resolve().relative_to(folder.resolve()).as_posix() + reference.removeprefix(str(file))


def _send(server: Server, **job: Any) -> str:
    try:
        return server.jobs.submit_job(**job)
    except (RuntimeError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise JobFailed(f"The cluster at {server.address} did not take the job: {reason}") from error
