"""Submitting an experiment to a cluster: everything that can be checked from here is checked before it is sent."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tune_jobs.base.named_files import read_file
from tune_jobs.cluster.internals import NotInThisRay
from tune_jobs.cluster.jobs import entrypoint, preflight, upload
from tune_jobs.cluster.jobs.job import Job
from tune_jobs.cluster.jobs.server import Server, find_address, reach
from tune_jobs.cluster.jobs.state import EXPERIMENT, ORIGIN, REFERENCE, RUN, STORAGE, ClusterState
from tune_jobs.engine.run_folder.create import default_name, name_problems
from tune_jobs.errors import JobFailed, RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.fields import changeable_fields
from tune_jobs.experiment.origin import origin_of
from tune_jobs.experiment.overrides import Overrides
from tune_jobs.loading.loader import Loaded, file_named, load, split_reference
from tune_jobs.loading.shipped import list_shipped

_LOG = logging.getLogger(__name__)
_Value = TypeVar("_Value")

# The options of `tune-jobs run` that change nothing in the experiment.
_NOT_IN_EXPERIMENT = ("name", "warm_start", "repeats", "top")
_MOST_REQUIREMENTS_BYTES = 2**20


@dataclass
class _Findings:
    """The problems and the notes that the checks have found so far."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def attempt(self, call: Callable[[], _Value]) -> _Value | None:
        """Return what a call returns, or None where the request is wrong: then its problems are added."""
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
    """Submit an experiment to a Ray cluster. The cluster's head then does what ``tune-jobs run`` does.

    Args:
        experiment: The name of a shipped experiment, a file (``path/to/file.py``, ``file.py:NAME``), or a module
            (``pkg.mod:NAME``).
        address: The address of the cluster's Jobs server; None: that of RAY_API_SERVER_ADDRESS or RAY_ADDRESS.
        storage: The folder of the runs, as the cluster's nodes see it; None: ``~/runs`` of the head, if the head is
            the only node.
        working_dir: The folder that is sent, with the experiment and everything that it imports; None: the current
            one, or no folder for a shipped experiment.
        requirements: A file of packages to install for the job, as for ``pip install -r``.
        resume: The name of a run in that storage to continue; None: a new run begins.
        **options: Options of ``tune-jobs run``, by their names or by the names of Experiment's fields: ``trials=50``,
            ``gpus=0.25``, ``name="first"``.

    Returns:
        The job. It goes on without this process.

    Raises:
        RequestError: Something is wrong with the request. All problems that can be seen from here are listed, and
            nothing was sent.
        JobFailed: The cluster did not take it.

    Example:
        >>> import tune_jobs
        >>> job = tune_jobs.submit("digits_mlp", address="http://head:8265", storage="/mnt/runs", trials=50)
        >>> job.wait()
        True
        >>> job.status
        'SUCCEEDED'
    """
    findings = _Findings()
    packages = findings.attempt(partial(_packages, requirements)) or []
    server = findings.attempt(lambda: reach(find_address(address)))
    loaded = findings.attempt(partial(_load, experiment, options, resume))
    folder = _checked_folder(findings, experiment, working_dir)
    _check_cluster(findings, server, storage, loaded)
    if findings.problems or server is None or loaded is None:
        raise RequestError(*findings.problems)

    name = resume or options.get("name") or default_name(loaded.name)
    run_storage = storage or preflight.DEFAULT_STORAGE
    reference = _reference_on_head(experiment, folder)
    if resume is None:
        command = _run_command(reference, run_storage, {**options, "name": name})
    else:
        command = _resume_command(reference, run_storage, name, options)
    _LOG.info("Submitting %s as %s; the folder that is sent: %s", loaded.name, name, folder)
    job = _send(
        server,
        entrypoint=command,
        runtime_env=entrypoint.runtime_env(folder, packages),
        metadata={RUN: name, EXPERIMENT: loaded.name, STORAGE: run_storage, **_provenance(loaded.reference)},
    )
    return Job(server, job, tuple(findings.notes))


def _provenance(reference: str) -> dict[str, str]:
    """Return the experiment's reference here, and the mark that this user named it, for the run that is fetched."""
    origin = origin_of(reference)
    return {REFERENCE: reference} if origin is None else {REFERENCE: reference, ORIGIN: origin}


def _run_command(reference: str, storage: str, options: Mapping[str, Any]) -> str:
    return entrypoint.command_line("tune_jobs", "run", reference, "--storage", storage, *entrypoint.flags(options))


def _resume_command(reference: str, storage: str, run: str, options: Mapping[str, Any]) -> str:
    arguments = ["--experiment", reference, "--storage", storage, *entrypoint.flags(options)]
    return entrypoint.command_line("tune_jobs", "resume", run, *arguments)


def _load(reference: str, options: Mapping[str, Any], resume: str | None) -> Loaded:
    """Return the experiment that will be run, checked as ``run`` does, except for what only the cluster knows."""

    def problems(experiment: Experiment) -> list[str]:
        return [*experiment.problems(), *_option_problems(options, resume)]

    return load(reference, _overrides(options).apply, problems)


def _overrides(options: Mapping[str, Any]) -> Overrides:
    names = {overridden.name for overridden in fields(Overrides)} - {"fields"}
    changes = {name: value for name, value in options.items() if name not in _NOT_IN_EXPERIMENT}
    own = {name: changes.pop(name) for name in names & set(changes)}
    return Overrides(**own, fields=changes)


def _option_problems(options: Mapping[str, Any], resume: str | None) -> list[str]:
    name = resume or options.get("name")
    problems = [] if name is None else name_problems(name)
    given = [option for option, value in options.items() if value not in (None, (), [])]
    if resume is not None and (fixed := [option for option in given if option not in (*changeable_fields(), "top")]):
        flags = ", ".join(map(entrypoint.flag, fixed))
        problems.append(
            f"The run {resume} is to go on, but {flags} would change what it is: leave that out, or begin a new run."
        )
    if options.get("repeats") is not None and options.get("warm_start"):
        problems.append(
            "--repeats shows how much of a result is luck, but with --warm-start the repeats are not independent: "
            "leave one of them out."
        )
    return problems


def _checked_folder(findings: _Findings, experiment: str, working_dir: str | Path | None) -> Path | None:
    """Return the folder that is sent, if one is; add what is wrong with it to the findings."""
    if working_dir is None and split_reference(experiment)[0] in list_shipped():
        return None
    folder = Path(working_dir or ".")
    try:
        found = upload.contents(folder)
        findings.notes += upload.upload_notes(folder, found)
    except RequestError as error:
        findings.problems += error.problems
        return folder
    except NotInThisRay as reason:
        findings.notes.append(f"The size of the folder {folder.resolve()} was not checked: {reason}.")
        found = None
    file = file_named(experiment)
    findings.problems += upload.upload_problems(folder, found, file if file is not None and file.is_file() else None)
    return folder


def _check_cluster(findings: _Findings, server: Server | None, storage: str | None, loaded: Loaded | None) -> None:
    import ray

    cluster = findings.attempt(partial(_cluster_state, findings, server)) if server is not None else None
    findings.problems += preflight.storage_problems(storage, cluster)
    if server is None:
        return
    findings.problems += preflight.version_problems(server.ray, ray.__version__)
    if cluster is None:
        return
    findings.notes += preflight.python_notes(cluster.python, platform.python_version())
    if loaded is not None:
        findings.problems += preflight.fit_problems(loaded.experiment.resources, cluster)
        findings.notes += preflight.fit_notes(loaded.experiment.resources, cluster)


def _cluster_state(findings: _Findings, server: Server) -> ClusterState | None:
    try:
        return server.cluster()
    except NotInThisRay as reason:
        findings.notes.append(
            f"The nodes of the cluster were not looked at, so the run itself will find out whether a trial fits and "
            f"whether all nodes see the storage: {reason}."
        )
        return None


def _packages(requirements: str | Path | None) -> Sequence[str]:
    """Return the packages that a file of requirements names, a line each.

    Raises:
        RequestError: It cannot be read, or names none.
    """
    if requirements is None:
        return []
    try:
        text = read_file(Path(requirements), _MOST_REQUIREMENTS_BYTES).decode()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise RequestError(f"--requirements {requirements} cannot be read ({reason}): name another.") from None
    lines = [line for raw in text.splitlines() if (line := raw.strip()) and not line.startswith("#")]
    if not lines:
        raise RequestError(f"--requirements {requirements} names no package: leave it out, or fill it.")
    return lines


def _reference_on_head(reference: str, folder: Path | None) -> str:
    """Return the reference by which the head finds the experiment that ``reference`` names here."""
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
